//! Loads a provider library and initialises it once per process.
//!
//! A registry keyed by canonical path hands the same [`Module`] to everybody who asks for it, so
//! that C_Initialize is never called twice. C_Finalize comes when the last token, login and
//! session of an owned module is gone, unless a quirk says that it must not. It is never
//! finalised when the embedder owns it, nor in a process that was forked off.

mod elf;
mod finalise;
mod interface;

use std::collections::{BTreeSet, HashMap};
use std::ffi::CString;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, Weak,
};
use std::time::Duration;

use cryptoki::context::{Function, Pkcs11};
use cryptoki::slot::Slot;
use sha2::{Digest, Sha256};

use crate::barrier::{Barrier, Behind};
use crate::error::{Error, Located, ModuleFault, Place, Result};
use crate::ffi::{self, HotCall};
use crate::quirks::{self, Quirks};
use crate::seat::Seat;
use crate::token::{Token, TokenSelector};
use crate::watch::{Watched, watched_in};

/// Who calls C_Initialize and C_Finalize.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InitMode {
    /// This crate, with `CKF_OS_LOCKING_OK`.
    Owned,
    /// The embedder, before loading and after dropping everything that came from the module.
    Shared,
}

/// How a library is loaded: by whom it is initialised, with which arguments, and which file is taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Who initialises it.
    pub mode: InitMode,
    /// SHA-256 that its file must have.
    ///
    /// The file is read once more by the dynamic loader: who may write to it can still win a race, as can who may write
    /// to a library that it depends on.
    pub sha256: Option<[u8; 32]>,
    /// What C_Initialize gets in pReserved, for libraries that are configured so: NSS softokn's `configdir='sql:DIR' …`.
    pub arguments: Option<String>,
}

impl From<InitMode> for LoadOptions {
    fn from(mode: InitMode) -> Self {
        Self {
            mode,
            sha256: None,
            arguments: None,
        }
    }
}

/// A loaded and initialised PKCS#11 library.
pub struct Module {
    // The order of the fields is the order of release: C_Finalize, then the registry's entry.
    provider: Provider,
    info: ModuleInfo,
    quirks: Quirks,
    hot: HotCall,
    login: Barrier,
    /// Held for reading by every call that uses a session, for writing while the library is initialised again.
    traffic: RwLock<()>,
    /// So many want the traffic to end: none begins meanwhile.
    stopping: AtomicUsize,
    /// A call hangs and was left behind: the traffic never ends.
    stuck: AtomicBool,
    /// Sessions, of workers and of logins.
    seats: Mutex<Vec<Weak<Seat>>>,
    /// How often the library was initialised again.
    initialised: AtomicU64,
    registration: Registration,
}

/// An initialised library; finalised on drop if it is ours.
struct Provider {
    context: Option<Pkcs11>,
    mode: InitMode,
    arguments: Option<CString>,
    /// What `context` came from, where it was not C_GetInterface; unloaded after it.
    by_list: Option<ByList>,
    process: u32,
}

/// The registry's entry; removed on drop, which lets others initialise the library again.
struct Registration(PathBuf);

/// The registry's note that a library is being opened; removed on drop.
struct Opening(PathBuf);

/// What the library says of itself (C_GetInfo).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// Who made the library.
    pub manufacturer: String,
    /// What it is.
    pub description: String,
    /// Its version, `2.6`.
    pub version: String,
    /// The PKCS#11 version that it speaks, `2.40`.
    pub cryptoki_version: String,
}

/// Every module of this process. A `Weak` that is dead still blocks its path until C_Finalize is
/// done; `kept` holds those that are never finalised.
#[derive(Default)]
struct Registry {
    live: HashMap<PathBuf, Weak<Module>>,
    /// Those that a thread loads and initialises right now.
    opening: BTreeSet<PathBuf>,
    kept: Vec<Arc<Module>>,
    /// Tokens that refused a PIN in this process: (library, serial number or slot).
    refused: BTreeSet<(PathBuf, String)>,
}

static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);
static RELEASED: Condvar = Condvar::new();

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often it is looked whether the traffic has ended.
const GLANCE: Duration = Duration::from_micros(500);

/// Paths where distributions put provider libraries, to suggest when one is not found.
const KNOWN: &[&str] = &[
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so",
    "/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so",
    "/usr/lib64/opencryptoki/libopencryptoki.so",
    "/usr/safenet/lunaclient/lib/libCryptoki2_64.so",
    "/opt/nfast/toolkits/pkcs11/libcknfast.so",
    "/opt/cloudhsm/lib/libcloudhsm_pkcs11.so",
    "/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so",
];

impl Module {
    /// Loads and initialises the library, or returns the one that is already there.
    ///
    /// `path` is the file itself: it is not searched for in the loader's directories.
    ///
    /// # Errors
    /// [`Error::Module`], which says what is wrong with the file, the library or C_Initialize.
    pub fn load(path: &Path, mode: InitMode) -> Result<Arc<Self>> {
        Self::load_with(path, &mode.into())
    }

    /// As [`Self::load`], if the file has the digest that it should, and with arguments for C_Initialize. A library that
    /// is loaded already keeps the arguments that it has.
    ///
    /// # Errors
    /// [`ModuleFault::Digest`], and those of [`Self::load`].
    pub fn load_with(path: &Path, options: &LoadOptions) -> Result<Arc<Self>> {
        let fault = |fault| Error::Module {
            path: path.to_owned(),
            fault,
        };
        let canonical = fs_err::canonicalize(path).map_err(|error| {
            fault(if error.kind() == std::io::ErrorKind::NotFound {
                ModuleFault::NotFound {
                    known: Self::known_libraries(),
                }
            } else {
                ModuleFault::Unreachable(error)
            })
        })?;
        if let Some(wanted) = options.sha256 {
            let bytes = fs_err::read(&canonical).map_err(|error| fault(ModuleFault::Unreachable(error)))?;
            let found: [u8; 32] = Sha256::digest(bytes).into();
            if found != wanted {
                return Err(fault(ModuleFault::Digest { found }));
            }
        }
        let mode = options.mode;
        let mut guard = locked(&REGISTRY);
        loop {
            let registry = guard.get_or_insert_default();
            if registry.opening.contains(&canonical) {
                // It may hang there, and then so does this.
                let opened = watched_in(&canonical, Watched::Initialize, || RELEASED.wait(guard));
                guard = opened.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let Some(there) = registry.live.get(&canonical) else {
                break;
            };
            let Some(module) = there.upgrade() else {
                // The last user is just finalising it.
                guard = RELEASED.wait(guard).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            // Before `module` may be dropped: its drop takes the registry's lock.
            drop(guard);
            module.alive()?;
            if module.provider.mode != mode {
                return Err(fault(ModuleFault::Mode(module.provider.mode, mode)));
            }
            return Ok(module);
        }
        // Others may be loaded meanwhile, and used where this one hangs.
        guard.get_or_insert_default().opening.insert(canonical.clone());
        drop(guard);
        let opening = Opening(canonical);
        let canonical = &opening.0;
        let provider = Provider::initialise(canonical, options).map_err(fault)?;
        let (info, quirks) = provider.describe(canonical).map_err(fault)?;
        let module = Arc::new(Self {
            provider,
            info,
            quirks,
            hot: HotCall::of(canonical),
            login: Barrier::default(),
            traffic: RwLock::new(()),
            stopping: AtomicUsize::new(0),
            stuck: AtomicBool::new(false),
            seats: Mutex::default(),
            initialised: AtomicU64::new(0),
            registration: Registration(canonical.clone()),
        });
        let mut guard = locked(&REGISTRY);
        let registry = guard.get_or_insert_default();
        if module.quirks.skip_finalise && mode == InitMode::Owned {
            registry.kept.push(Arc::clone(&module));
        }
        registry.live.insert(canonical.clone(), Arc::downgrade(&module));
        // `opening` takes the lock when it is dropped.
        drop(guard);
        Ok(module)
    }

    /// Provider libraries that this machine has at the places where distributions and vendors put them.
    pub fn known_libraries() -> Vec<PathBuf> {
        let known = KNOWN.iter().map(PathBuf::from);
        known.filter(|path| path.exists()).collect()
    }

    /// The library's canonical path.
    pub fn path(&self) -> &Path {
        &self.registration.0
    }

    /// What the library says of itself.
    pub fn info(&self) -> &ModuleInfo {
        &self.info
    }

    /// SHA-256 of the library's file, for reports.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn sha256(&self) -> std::io::Result<[u8; 32]> {
        Ok(Sha256::digest(fs_err::read(self.path())?).into())
    }

    /// All tokens, initialised or not, by slot. One whose C_GetTokenInfo fails is among them, with
    /// the reason in [`crate::TokenInfo::fault`]: it can be chosen by its slot.
    ///
    /// # Errors
    /// C_GetSlotList failed.
    pub fn tokens(self: &Arc<Self>) -> Result<Vec<Token>> {
        self.slots()?.into_iter().map(|slot| Token::read(self, slot)).collect()
    }

    /// The slots that hold a token.
    pub(crate) fn slots(&self) -> Result<Vec<Slot>> {
        let context = self.context()?;
        watched_in(self.path(), Watched::GetSlotList, || context.get_slots_with_token())
            .at(&Place::default(), "C_GetSlotList")
    }

    /// The one token that matches. An empty selector means the only initialised token.
    ///
    /// # Errors
    /// [`Error::TokenNotFound`] lists what is there, [`Error::TokenAmbiguous`] what matches.
    pub fn token(self: &Arc<Self>, wanted: &TokenSelector) -> Result<Token> {
        let mut all = self.tokens()?;
        let mut matching: Vec<Token> = all
            .iter()
            .filter(|token| wanted.matches(token.info()))
            .cloned()
            .collect();
        match (matching.pop(), matching.len()) {
            (Some(token), 0) => Ok(token),
            (Some(last), _) => {
                matching.push(last);
                let matching = matching.iter().map(|token| token.info().clone()).collect();
                Err(Error::TokenAmbiguous {
                    wanted: Box::new(wanted.clone()),
                    matching,
                })
            }
            (None, _) => {
                all.retain(|token| token.info().flags.initialised() || token.info().fault.is_some());
                let found = all.iter().map(|token| token.info().clone()).collect();
                Err(Error::TokenNotFound {
                    wanted: Box::new(wanted.clone()),
                    found,
                })
            }
        }
    }

    pub(crate) fn context(&self) -> Result<&Pkcs11> {
        self.alive()?;
        self.provider.context.as_ref().ok_or_else(|| Error::Module {
            path: self.path().to_owned(),
            fault: ModuleFault::NotPkcs11("it is finalised".to_owned()),
        })
    }

    pub(crate) fn hot(&self) -> &HotCall {
        &self.hot
    }

    /// The barrier behind which sessions are opened, logins happen, and keys are found and copied, one at a time: there are
    /// tokens that lose keys in a search beside a login or a new session, and none of it is done while they sign.
    pub(crate) fn login_barrier(&self) -> Behind<'_> {
        self.login.pass()
    }

    /// Lets a call into the library; recovery waits for its end.
    pub(crate) fn traffic(&self) -> RwLockReadGuard<'_, ()> {
        while self.stopping.load(Ordering::Acquire) > 0 {
            std::thread::sleep(GLANCE);
        }
        self.traffic.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of all calls, and keeps others from beginning. Nothing: one of them hangs and was left behind.
    pub(crate) fn stop_traffic(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.stopping.fetch_add(1, Ordering::AcqRel);
        let stopped = loop {
            match self.traffic.try_write() {
                Ok(alone) => break Some(alone),
                Err(TryLockError::Poisoned(alone)) => break Some(alone.into_inner()),
                Err(TryLockError::WouldBlock) if self.stuck.load(Ordering::Acquire) => break None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(GLANCE),
            }
        };
        self.stopping.fetch_sub(1, Ordering::AcqRel);
        stopped
    }

    /// A call has been under way for longer than this, and its thread was left behind: nobody waits for it.
    pub(crate) fn leave_behind(&self, longer: Duration) {
        self.stuck.store(true, Ordering::Release);
        self.login.relieve(longer);
    }

    /// Takes note of a session, to be closed before the library is finalised.
    pub(crate) fn seat(&self, seat: &Arc<Seat>) {
        let mut seats = locked(&self.seats);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(seat));
    }

    /// Closes every session; a handle that outlives C_Finalize could be another's afterwards.
    pub(crate) fn close_seats(&self) {
        let seats: Vec<Arc<Seat>> = locked(&self.seats).iter().filter_map(Weak::upgrade).collect();
        for seat in seats {
            seat.clear();
        }
    }

    /// How often the library was initialised again. A session belongs to one initialisation.
    pub(crate) fn initialised(&self) -> u64 {
        self.initialised.load(Ordering::SeqCst)
    }

    pub(crate) fn count_initialisation(&self) {
        self.initialised.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn mode(&self) -> InitMode {
        self.provider.mode
    }

    /// C_Finalize and C_Initialize. The caller has stopped the traffic and closed all sessions.
    pub(crate) fn initialise_again(&self) -> Result<()> {
        let context = self.context()?;
        let place = Place::default();
        if let Err(error) = context.clone().finalize().at(&place, "C_Finalize") {
            tracing::debug!(%error, "finalising a library that failed");
        }
        watched_in(self.path(), Watched::Initialize, || {
            ffi::initialize(context, self.provider.arguments.as_deref())
        })
        .at(&place, "C_Initialize")
    }

    /// Remembers for the life of the process that a token refused a PIN.
    pub(crate) fn remember_refusal(&self, token: &str) {
        let mut registry = locked(&REGISTRY);
        registry
            .get_or_insert_default()
            .refused
            .insert((self.path().to_owned(), token.to_owned()));
    }

    pub(crate) fn was_refused(&self, token: &str) -> bool {
        let mut registry = locked(&REGISTRY);
        registry
            .get_or_insert_default()
            .refused
            .contains(&(self.path().to_owned(), token.to_owned()))
    }

    fn alive(&self) -> Result<()> {
        let (by, here) = (self.provider.process, std::process::id());
        if here == by {
            return Ok(());
        }
        Err(Error::Forked {
            path: self.path().to_owned(),
            by,
            here,
        })
    }
}

impl Provider {
    fn initialise(path: &Path, options: &LoadOptions) -> std::result::Result<Self, ModuleFault> {
        let arguments = options.arguments.as_deref().map(CString::new).transpose();
        let arguments =
            arguments.map_err(|_| ModuleFault::Arguments("they hold a zero, and C ends a text there".to_owned()))?;
        let (context, by_list) = match Pkcs11::new(path) {
            Err(cryptoki::error::Error::Pkcs11(code, Function::GetInterface)) => {
                tracing::debug!(%code, path = %path.display(), "C_GetInterface failed: taking C_GetFunctionList");
                let (context, by_list) = by_list(path, &code.to_string())?;
                (context, Some(by_list))
            }
            loaded => (loaded.map_err(|error| not_loaded(path, error))?, None),
        };
        if options.mode == InitMode::Owned {
            watched_in(path, Watched::Initialize, || {
                ffi::initialize(&context, arguments.as_deref())
            })
            .at(&Place::default(), "C_Initialize")
            .map_err(unusable)?;
        }
        Ok(Self {
            context: Some(context),
            mode: options.mode,
            arguments,
            by_list,
            process: std::process::id(),
        })
    }

    fn describe(&self, path: &Path) -> std::result::Result<(ModuleInfo, Quirks), ModuleFault> {
        let Some(context) = &self.context else {
            return Ok(Default::default());
        };
        let said = watched_in(path, Watched::GetInfo, || context.get_library_info());
        match said.at(&Place::default(), "C_GetInfo") {
            Ok(said) => {
                let info = ModuleInfo {
                    manufacturer: said.manufacturer_id().to_owned(),
                    description: said.library_description().to_owned(),
                    version: said.library_version().to_string(),
                    cryptoki_version: said.cryptoki_version().to_string(),
                };
                let quirks = quirks::of(&info.manufacturer, "");
                Ok((info, quirks))
            }
            // An embedder that has not initialised the library yet shows here.
            Err(error) if self.mode == InitMode::Shared => Err(unusable(error)),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the library does not say what it is");
                Ok(Default::default())
            }
        }
    }
}

/// A library beside the provider's own, and the file that it was loaded from: an open file keeps its path from being
/// another's.
struct ByList {
    _provider: cryptoki_sys::Pkcs11,
    _file: OwnedFd,
}

/// The way of [`interface`]: to C_GetFunctionList, past C_GetInterface and its `answer`.
fn by_list(path: &Path, answer: &str) -> std::result::Result<(Pkcs11, ByList), ModuleFault> {
    let no_way = |reason: String| ModuleFault::NotPkcs11(format!("C_GetInterface answered {answer}, and {reason}"));
    let (provider, address) =
        ffi::get_function_list(path).ok_or_else(|| no_way("it has no C_GetFunctionList".to_owned()))?;
    let bytes = elf::own_machine().and_then(|machine| interface::library(address, machine));
    let bytes = bytes.ok_or_else(|| no_way("this machine has no way around that".to_owned()))?;
    let file = rustix::fs::memfd_create("pkcs11-by-function-list", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|error| no_way(error.to_string()))?;
    let file = std::fs::File::from(file);
    (&file).write_all(&bytes).map_err(|error| no_way(error.to_string()))?;
    let beside = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let context = Pkcs11::new(&beside).map_err(|error| no_way(error.to_string()))?;
    let by_list = ByList {
        _provider: provider,
        _file: file.into(),
    };
    Ok((context, by_list))
}

fn not_loaded(path: &Path, error: cryptoki::error::Error) -> ModuleFault {
    match error {
        cryptoki::error::Error::LibraryLoading(reason) => elf::diagnose(path, &reason.to_string()),
        cryptoki::error::Error::MissingSymbol(symbol) => ModuleFault::NotPkcs11(format!("it has no function {symbol}")),
        other => ModuleFault::NotPkcs11(other.to_string()),
    }
}

fn unusable(error: Error) -> ModuleFault {
    match error {
        Error::Call(call) => ModuleFault::Initialise(call),
        other => ModuleFault::NotPkcs11(other.to_string()),
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // A child of the process that initialised the library must not finalise it.
        let ours = self.mode == InitMode::Owned && std::process::id() == self.process;
        if let Some(context) = self.context.take().filter(|_| ours)
            && !finalise::finalise(&context)
        {
            std::mem::forget(self.by_list.take());
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(registry) = locked(&REGISTRY).as_mut() {
            registry.opening.remove(&self.0);
        }
        RELEASED.notify_all();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(registry) = locked(&REGISTRY).as_mut() {
            registry.live.remove(&self.0);
        }
        RELEASED.notify_all();
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("path", &self.path())
            .field("mode", &self.provider.mode)
            .field("info", &self.info)
            .finish()
    }
}
