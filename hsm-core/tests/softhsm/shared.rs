//! A module that the embedder initialised itself: used, never finalised, initialised again by nobody.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use hsm_core::{GenerateSpec, InitMode, KeyKind, Module, PinSource, Pool, SessionCopy, TokenSelector};

use super::{LABEL, on_a_token};

#[test]
fn an_embedders_own_initialisation_outlives_ours() {
    on_a_token("shared::an_embedders_own_initialisation_outlives_ours", |inside| {
        let embedder = Pkcs11::new(&inside.library).unwrap();
        embedder
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .unwrap();
        // Ours would be a second C_Initialize: refused, with advice.
        let error = Module::load(&inside.library, InitMode::Owned).unwrap_err().to_string();
        assert!(error.contains("load it as shared"), "{error}");
        for _ in 0..2 {
            let module = Module::load(&inside.library, InitMode::Shared).unwrap();
            let token = module.token(&TokenSelector::label(LABEL)).unwrap();
            let pin = PinSource::File(inside.directory.join("pin")).read("the test").unwrap();
            let login = token.login(pin).unwrap();
            let key = login
                .list()
                .unwrap()
                .first()
                .map_or_else(
                    || login.generate(&GenerateSpec::new("shared", KeyKind::P256)),
                    |info| login.find(&hsm_core::KeySelector::label(info.label.clone())),
                )
                .unwrap();
            let mut pool = Pool::open(&login, 2, std::slice::from_ref(&key), SessionCopy::Auto).unwrap();
            let slot = pool.slot(0).unwrap();
            while let Some(mut session) = pool.take() {
                let mut out = [0; 64];
                assert_eq!(
                    session.sign(slot, key.kind().mechanism(), &[7; 32], &mut out).unwrap(),
                    64
                );
            }
            drop((pool, login, token, module));
            // C_GetSlotList would answer CKR_CRYPTOKI_NOT_INITIALIZED.
            assert!(!embedder.get_slots_with_token().unwrap().is_empty());
        }
        embedder.finalize().unwrap();
    });
}
