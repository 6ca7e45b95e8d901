//! hsm-core against a real SoftHSM, each case in a process and on a token of its own.
//!
//! A provider is initialised once per process and reads its configuration from the environment, so
//! a case runs in a child: the test binary itself, called again for that one test. The library and
//! its tool are taken from `PKCS11_PROVIDER` and `SOFTHSM2_UTIL`, else from where distributions
//! put them. Without them the tests fail in CI and under `SIGNET_REQUIRE_HSM`, and say loudly
//! elsewhere that they did not run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may unwrap")]
#![allow(clippy::print_stderr, reason = "a test that cannot run says so")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use hsm_core::{
    DigestInfo, Error, FaultClass, GenerateSpec, Halves, Hash, InitMode, KeyKind, KeySelector, LoggedIn, Module, NewId,
    PinSource, Pool, PreparedVerifier, SessionCopy, TokenKey, TokenSelector,
};

#[path = "softhsm/many_keys.rs"]
mod many_keys;
#[path = "softhsm/shared.rs"]
mod shared;

const LABEL: &str = "hsm-core test";
const PIN: &str = "246810";
const CASE: &str = "HSM_CORE_CASE";

struct Inside {
    library: PathBuf,
    directory: PathBuf,
}

impl Inside {
    fn module(&self) -> Arc<Module> {
        Module::load(&self.library, InitMode::Owned).unwrap()
    }

    fn login(&self) -> LoggedIn {
        let pin = PinSource::File(self.directory.join("pin")).read("the test").unwrap();
        self.module()
            .token(&TokenSelector::label(LABEL))
            .unwrap()
            .login(pin)
            .unwrap()
    }

    fn objects(&self) -> usize {
        let stores = std::fs::read_dir(self.directory.join("tokens")).unwrap();
        let files = stores.flat_map(|store| std::fs::read_dir(store.unwrap().path()).unwrap());
        let is_object =
            |path: PathBuf| path.extension().is_some_and(|end| end == "object") && path.file_stem().unwrap() != "token";
        files.filter(|file| is_object(file.as_ref().unwrap().path())).count()
    }
}

/// Runs a case in a child of its own, on a fresh token.
fn on_a_token(case: &str, run: impl FnOnce(&Inside)) {
    on_a_token_in(&std::env::temp_dir(), case, run);
}

/// The same, with the token's files below this folder.
fn on_a_token_in(folder: &Path, case: &str, run: impl FnOnce(&Inside)) {
    let Some((library, tool)) = softhsm() else {
        let message = "no SoftHSM found: set PKCS11_PROVIDER and SOFTHSM2_UTIL, or run cargo xtask test-hsm";
        let required = ["CI", "SIGNET_REQUIRE_HSM"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
        assert!(!required, "{message}");
        eprintln!("\n*** {case} DID NOT RUN: {message} ***\n");
        return;
    };
    if std::env::var(CASE).is_ok_and(|inside| inside == case) {
        let configuration = PathBuf::from(std::env::var_os("SOFTHSM2_CONF").unwrap());
        let directory = configuration.parent().unwrap().to_owned();
        return run(&Inside { library, directory });
    }
    let directory = tempfile::tempdir_in(folder).unwrap();
    let configuration = configure(directory.path());
    token(&tool, &library, &configuration, LABEL);
    let child = Command::new(std::env::current_exe().unwrap())
        .args([case, "--exact", "--nocapture", "--test-threads=1"])
        .env("SOFTHSM2_CONF", &configuration)
        .env(CASE, case)
        .output()
        .unwrap();
    let output = format!(
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
    assert!(
        child.status.success(),
        "{case} in its own process: {}\n{output}",
        child.status
    );
    assert!(
        output.contains("1 passed"),
        "{case} did not run in its process\n{output}"
    );
}

fn softhsm() -> Option<(PathBuf, PathBuf)> {
    let library = match std::env::var_os("PKCS11_PROVIDER") {
        Some(path) if path.to_string_lossy().contains("softhsm") => PathBuf::from(path),
        Some(_) => return None,
        None => PathBuf::from("/usr/lib/softhsm/libsofthsm2.so"),
    };
    let tool = std::env::var_os("SOFTHSM2_UTIL").map_or("/usr/bin/softhsm2-util".into(), PathBuf::from);
    (library.exists() && tool.exists()).then_some((library, tool))
}

fn configure(directory: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let tokens = directory.join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let configuration = directory.join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(&configuration, text).unwrap();
    let pin = directory.join("pin");
    std::fs::write(&pin, format!("{PIN}\n")).unwrap();
    std::fs::set_permissions(&pin, std::fs::Permissions::from_mode(0o600)).unwrap();
    configuration
}

fn token(tool: &Path, library: &Path, configuration: &Path, label: &str) {
    let made = Command::new(tool)
        .args([
            "--init-token",
            "--free",
            "--so-pin",
            "13579000",
            "--pin",
            PIN,
            "--label",
            label,
            "--module",
        ])
        .arg(library)
        .env("SOFTHSM2_CONF", configuration)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn make(login: &LoggedIn, label: &str, kind: KeyKind) -> TokenKey {
    login.generate(&GenerateSpec::new(label, kind)).unwrap()
}

#[test]
fn every_kind_is_made_found_proven_and_signs() {
    on_a_token("every_kind_is_made_found_proven_and_signs", |inside| {
        let login = inside.login();
        let kinds = [KeyKind::Rsa(2048), KeyKind::P256, KeyKind::P384, KeyKind::Ed25519];
        for (copy, suffix) in [(SessionCopy::Auto, "auto"), (SessionCopy::Never, "never")] {
            for kind in kinds {
                let label = format!("{kind} {suffix}");
                let made = make(&login, &label, kind);
                assert_eq!(made.kind(), kind);
                assert_eq!(made.id().len(), 8);
                assert_eq!(made.attributes().sensitive, Some(true));
                assert_eq!(made.attributes().extractable, Some(false));
                assert_eq!(made.attributes().local, Some(true));
                assert!(made.attributes().to_string().contains("SENSITIVE, !EXTRACTABLE"));
                assert_eq!(login.find(&KeySelector::label(&label)).unwrap(), made);
                assert_eq!(login.find(&KeySelector::id(made.id())).unwrap(), made);
                assert_eq!(login.find(&made.uri(login.token().info()).key).unwrap(), made);

                let mut session = login.session().unwrap();
                let slot = session.load_key(&made, copy).unwrap();
                assert_eq!(session.is_copy(slot), copy == SessionCopy::Auto);
                session.prove(slot).unwrap();
                let info = DigestInfo::new(Hash::Sha512, &[7; 64]).unwrap();
                let data: &[u8] = match kind {
                    KeyKind::P256 => &[1; 32],
                    KeyKind::P384 => &[1; 48],
                    KeyKind::Rsa(_) => info.as_ref(),
                    _ => b"a message of any length",
                };
                let verifier = PreparedVerifier::new(made.public()).unwrap();
                let mut out = [0; 512];
                for _ in 0..3 {
                    let length = session.sign(slot, kind.mechanism(), data, &mut out).unwrap();
                    assert_eq!(length, kind.signature_len());
                    assert!(verifier.verify(kind.mechanism(), data, &out[..length]));
                }
            }
        }
        assert_eq!(login.list().unwrap().len(), 8);
        assert_eq!(inside.objects(), 16, "session copies must not reach the token");
    });
}

#[test]
fn ed448_signs_and_is_proven_where_it_can_be() {
    on_a_token("ed448_signs_and_is_proven_where_it_can_be", |inside| {
        let login = inside.login();
        let key = make(&login, "k", KeyKind::Ed448);
        let mut session = login.session().unwrap();
        let slot = session.load_key(&key, SessionCopy::Auto).unwrap();
        let mut out = [0; 114];
        let length = session
            .sign(slot, key.kind().mechanism(), b"a message", &mut out)
            .unwrap();
        assert!(length == 114 && out != [0; 114]);
        let proof = session.prove(slot);
        if cfg!(feature = "openssl") {
            proof.unwrap();
        } else {
            let error = proof.unwrap_err().to_string();
            assert!(
                error.contains("signatures by Ed448 cannot be verified on the host"),
                "{error}"
            );
        }
    });
}

#[test]
fn a_module_is_initialised_once() {
    on_a_token("a_module_is_initialised_once", |inside| {
        let loads: Vec<_> = (0..8)
            .map(|_| {
                let library = inside.library.clone();
                std::thread::spawn(move || Module::load(&library, InitMode::Owned).unwrap())
            })
            .map(|thread| thread.join().unwrap())
            .collect();
        assert!(loads.iter().all(|module| Arc::ptr_eq(module, &loads[0])));
        let link = inside.directory.join("link.so");
        std::os::unix::fs::symlink(&inside.library, &link).unwrap();
        let linked = Module::load(&link, InitMode::Owned).unwrap();
        assert!(Arc::ptr_eq(&linked, &loads[0]));
        assert!(linked.info().manufacturer.starts_with("SoftHSM"), "{:?}", linked.info());
        assert_eq!(linked.sha256().unwrap().len(), 32);
        let other = Module::load(&link, InitMode::Shared).unwrap_err().to_string();
        assert!(other.contains("already in use as Owned"), "{other}");
        drop((loads, linked));
        // Never finalised (a quirk), so that it can be had again.
        assert_eq!(inside.login().list().unwrap(), []);
    });
}

#[test]
fn a_shared_module_has_to_be_initialised_by_its_owner() {
    on_a_token("a_shared_module_has_to_be_initialised_by_its_owner", |inside| {
        let error = Module::load(&inside.library, InitMode::Shared).unwrap_err().to_string();
        assert!(error.contains("CKR_CRYPTOKI_NOT_INITIALIZED"), "{error}");
        inside.login();
    });
}

#[test]
fn files_that_are_no_modules_are_named() {
    on_a_token("files_that_are_no_modules_are_named", |inside| {
        let fault = |path: &Path| Module::load(path, InitMode::Owned).unwrap_err().to_string();
        let missing = fault(Path::new("/nowhere/libhsm.so"));
        assert!(missing.contains("/nowhere/libhsm.so: no such file"), "{missing}");
        let text = fault(&inside.directory.join("pin"));
        assert!(text.contains("no ELF file"), "{text}");
        assert!(!text.contains(PIN), "{text}");
        // A library that exports no C_GetFunctionList: the test's own libc.
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let libc = maps.split_whitespace().find(|word| word.contains("/libc.so")).unwrap();
        let library = fault(Path::new(libc));
        assert!(library.contains("no PKCS#11 library"), "{library}");
    });
}

#[test]
fn tokens_are_chosen_or_listed() {
    on_a_token("tokens_are_chosen_or_listed", |inside| {
        let (library, tool) = softhsm().unwrap();
        let configuration = inside.directory.join("softhsm2.conf");
        token(&tool, &library, &configuration, "second");
        token(&tool, &library, &configuration, "second");
        let module = inside.module();
        let all = module.tokens().unwrap();
        assert_eq!(all.iter().filter(|token| token.info().flags.initialised()).count(), 3);
        let one = module.token(&TokenSelector::label(LABEL)).unwrap();
        let serial = TokenSelector {
            serial: Some(one.info().serial.clone()),
            ..TokenSelector::default()
        };
        assert_eq!(module.token(&serial).unwrap().info(), one.info());
        let slot = TokenSelector {
            slot: Some(one.info().slot_id),
            ..TokenSelector::default()
        };
        assert_eq!(module.token(&slot).unwrap().info(), one.info());
        let Err(Error::TokenNotFound { found, .. }) = module.token(&TokenSelector::label("third")) else {
            panic!("a token called third");
        };
        assert_eq!(found.len(), 3);
        for wanted in [TokenSelector::default(), TokenSelector::label("second")] {
            let error = module.token(&wanted).unwrap_err();
            assert!(matches!(error, Error::TokenAmbiguous { .. }), "{error}");
            assert_eq!(
                error.to_string().matches("'second'").count() - usize::from(!wanted.is_empty()),
                2
            );
        }
    });
}

#[test]
fn the_only_token_needs_no_name() {
    on_a_token("the_only_token_needs_no_name", |inside| {
        let module = inside.module();
        assert_eq!(module.token(&TokenSelector::default()).unwrap().info().label, LABEL);
    });
}

#[test]
fn a_wrong_pin_is_tried_once() {
    on_a_token("a_wrong_pin_is_tried_once", |inside| {
        let module = inside.module();
        let token = module.token(&TokenSelector::label(LABEL)).unwrap();
        let error = token.login("wrong-pin".into()).unwrap_err();
        assert_eq!(error.class(), FaultClass::PinRefused);
        assert!(error.to_string().contains("CKR_PIN_INCORRECT"), "{error}");
        assert!(!error.to_string().contains("wrong-pin"), "{error}");
        // Even the right one: the token would take it, so a refusal shows that it was not asked.
        for pin in ["wrong-pin", PIN] {
            let again = module.token(&TokenSelector::label(LABEL)).unwrap().login(pin.into());
            let error = again.unwrap_err().to_string();
            assert!(error.contains("refused earlier"), "{error}");
        }
    });
}

#[test]
fn a_second_login_is_no_error() {
    on_a_token("a_second_login_is_no_error", |inside| {
        let first = inside.login();
        let key = make(&first, "k", KeyKind::Ed25519);
        let second = inside.login();
        drop(first);
        assert_eq!(second.find(&KeySelector::label("k")).unwrap(), key);
        // The login dies with the last session: a new one has to be a real one.
        drop(second);
        assert_eq!(inside.login().find(&KeySelector::label("k")).unwrap(), key);
    });
}

#[test]
fn keys_are_told_apart_or_refused() {
    on_a_token("keys_are_told_apart_or_refused", |inside| {
        let login = inside.login();
        let key = make(&login, "ksk-2024", KeyKind::P256);
        let taken = login.generate(&GenerateSpec::new("ksk-2024", KeyKind::P384));
        assert!(matches!(taken, Err(Error::KeyExists { .. })), "{taken:?}");
        let taken = login.generate(&GenerateSpec {
            id: NewId::Unique(key.id().to_vec()),
            ..GenerateSpec::new("other", KeyKind::P384)
        });
        assert!(matches!(taken, Err(Error::KeyExists { .. })), "{taken:?}");
        for kind in [KeyKind::Rsa(512), KeyKind::Rsa(2050)] {
            let refused = login.generate(&GenerateSpec::new("small", kind));
            assert!(matches!(refused, Err(Error::Input { .. })), "{refused:?}");
        }
        assert_eq!(inside.objects(), 2);

        // A second pair of the same label and type, as BIND's tool would not have made it.
        pkcs11_twin(inside, "ksk-2024", &[0xaa]);
        let Err(Error::KeyAmbiguous { candidates, .. }) = login.find(&KeySelector::label("ksk-2024")) else {
            panic!("two keys of one label");
        };
        assert_eq!(candidates.len(), 2);
        let both = KeySelector {
            label: Some("ksk-2024".into()),
            id: Some(vec![0xaa]),
            class: None,
        };
        assert_eq!(login.find(&both).unwrap().id(), [0xaa]);
        assert_eq!(login.find(&key.selector()).unwrap(), key);

        let Err(error) = login.find(&KeySelector::label("zsk-2024")) else {
            panic!("no such key")
        };
        assert_eq!(error.class(), FaultClass::KeyLost);
        assert!(error.to_string().contains("label 'ksk-2024'"), "{error}");
        assert!(login.find(&KeySelector::default()).is_err());

        assert_eq!(login.destroy(&key).unwrap(), 2);
        assert_eq!(inside.objects(), 2);
        assert!(matches!(login.destroy(&key), Err(Error::KeyNotFound { .. })));
    });
}

/// Makes an EC key pair by raw PKCS#11 calls, past hsm-core's own refusals.
fn pkcs11_twin(inside: &Inside, label: &str, id: &[u8]) {
    use cryptoki::mechanism::Mechanism;
    use cryptoki::object::Attribute;
    // The module is initialised already: this is the same library, loaded again.
    let context = cryptoki::context::Pkcs11::new(&inside.library).unwrap();
    let slot = inside.login().token().info().slot_id;
    let session = context.open_rw_session(slot.try_into().unwrap()).unwrap();
    let named = [
        Attribute::Token(true),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Id(id.to_vec()),
    ];
    let curve = vec![0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let public = [&named[..], &[Attribute::EcParams(curve), Attribute::Private(false)]].concat();
    let private = [&named[..], &[Attribute::Sign(true)]].concat();
    session
        .generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)
        .unwrap();
}

#[test]
fn a_session_is_reopened_after_an_error() {
    on_a_token("a_session_is_reopened_after_an_error", |inside| {
        let login = inside.login();
        let key = make(&login, "k", KeyKind::P256);
        let mut session = login.session().unwrap();
        let slot = session.load_key(&key, SessionCopy::Always).unwrap();
        let mut out = [0; 64];
        let mechanism = key.kind().mechanism();
        // What does not fit is refused before the token is asked: the session stays.
        assert!(matches!(
            session.sign(slot, mechanism, &[0; 33], &mut out),
            Err(Error::Input { .. })
        ));
        assert!(matches!(
            session.sign(slot, mechanism, &[0; 32], &mut out[..63]),
            Err(Error::Input { .. })
        ));
        assert!(!session.needs_reopen());
        session.sign(slot, mechanism, &[0; 32], &mut out).unwrap();
        // The library is finalised and initialised again behind our back, as after a token's reset.
        let context = || cryptoki::context::Pkcs11::new(&inside.library).unwrap();
        context().finalize().unwrap();
        let error = session.sign(slot, mechanism, &[0; 32], &mut out).unwrap_err();
        assert_eq!(error.class(), FaultClass::TokenLost, "{error}");
        assert!(
            error.to_string().contains("C_SignInit on token 'hsm-core test'"),
            "{error}"
        );
        assert!(session.needs_reopen());
        let error = session.sign(slot, mechanism, &[0; 32], &mut out).unwrap_err();
        assert!(matches!(error, Error::NeedsReopen { .. }), "{error}");
        use cryptoki::context::{CInitializeArgs, CInitializeFlags};
        context()
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .unwrap();
        // The login died with the sessions: a private key is not seen, which is no lost key.
        let error = session.reopen().unwrap_err();
        assert_eq!(error.class(), FaultClass::LoginLost, "{error}");
        let _again = inside.login();
        session.reopen().unwrap();
        assert_eq!(session.generation(), 2);
        session.prove(slot).unwrap();
    });
}

#[test]
fn a_pool_signs_side_by_side_and_leaves_nothing() {
    on_a_token("a_pool_signs_side_by_side_and_leaves_nothing", |inside| {
        let login = inside.login();
        let keys = [
            make(&login, "ec", KeyKind::P256),
            make(&login, "rsa", KeyKind::Rsa(2048)),
        ];
        let before = inside.objects();
        let mut pool = Pool::open(&login, 8, &keys, SessionCopy::Auto).unwrap();
        assert_eq!((pool.opened(), pool.proofs()), (8, 16));
        let slots = [pool.slot(0).unwrap(), pool.slot(1).unwrap()];
        let sessions: Vec<_> = std::iter::from_fn(|| pool.take()).collect();
        assert_eq!(sessions.len(), 8);
        // Eight copies are about; the token object is still the one match.
        assert_eq!(login.find(&KeySelector::label("ec")).unwrap(), keys[0]);
        let verifier = PreparedVerifier::new(keys[0].public()).unwrap();
        let workers: Vec<_> = sessions
            .into_iter()
            .zip(0_u8..)
            .map(|(mut session, worker)| {
                let (verifier, kind) = (verifier.clone(), keys[0].kind());
                std::thread::spawn(move || {
                    let mut out = [0; 256];
                    for round in 0..50 {
                        let digest = [worker ^ round; 32];
                        session.sign(slots[0], kind.mechanism(), &digest, &mut out).unwrap();
                        assert!(verifier.verify(kind.mechanism(), &digest, &out[..64]));
                        let info = DigestInfo::new(Hash::Sha256, &digest).unwrap();
                        session
                            .sign(slots[1], hsm_core::SignMechanism::RsaPkcs, info.as_ref(), &mut out)
                            .unwrap();
                        if round == 25 {
                            session.reopen().unwrap();
                        }
                    }
                    session
                })
            })
            .collect();
        for worker in workers {
            pool.put(worker.join().unwrap()).unwrap();
        }
        assert_eq!(pool.into_sessions().len(), 8);
        assert_eq!(inside.objects(), before);
    });
}

#[test]
fn halves_that_do_not_belong_together_are_not_proven() {
    on_a_token("halves_that_do_not_belong_together_are_not_proven", |inside| {
        use cryptoki::object::{Attribute, ObjectClass};
        let login = inside.login();
        let (one, two) = (make(&login, "one", KeyKind::P256), make(&login, "two", KeyKind::P256));
        // Swap: two's public half is put under one's label and id.
        let context = cryptoki::context::Pkcs11::new(&inside.library).unwrap();
        let session = context
            .open_rw_session(login.token().info().slot_id.try_into().unwrap())
            .unwrap();
        let public = |id: &[u8]| {
            let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Id(id.to_vec())];
            session.find_objects(&template).unwrap()[0]
        };
        let (first, second) = (public(one.id()), public(two.id()));
        session.destroy_object(first).unwrap();
        session
            .update_attributes(second, &[Attribute::Id(one.id().to_vec())])
            .unwrap();
        let mixed = login.find(&KeySelector::label("one")).unwrap();
        assert_eq!(mixed.public(), two.public());
        let error = Pool::open(&login, 2, &[mixed], SessionCopy::Auto).unwrap_err();
        assert!(error.to_string().contains("do not belong together"), "{error}");
        assert_eq!(error.class(), FaultClass::KeyLost);
        // And the one that is left alone has no public part to read.
        let list = login.list().unwrap();
        assert!(
            list.iter()
                .any(|key| key.label == "two" && key.halves == Halves::PrivateOnly),
            "{list:?}"
        );
        assert!(matches!(
            login.find(&KeySelector::label("two")),
            Err(Error::KeyUnusable { .. })
        ));
    });
}

#[test]
fn listing_takes_one_pass() {
    on_a_token("listing_takes_one_pass", |inside| {
        let login = inside.login();
        for number in 0..100 {
            make(&login, &format!("key {number:03}"), KeyKind::Ed25519);
        }
        let start = std::time::Instant::now();
        let list = login.list().unwrap();
        let took = start.elapsed();
        assert_eq!(list.len(), 100);
        assert!(
            list.iter()
                .all(|key| key.halves == Halves::Both && key.kind == Some(KeyKind::Ed25519))
        );
        // A search per key would take far longer even on a busy machine.
        assert!(took.as_secs() < 5, "{took:?}");
    });
}
