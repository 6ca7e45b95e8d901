//! The gate that every call goes through: counted, looked up in the schedule, answered or let through.
//!
//! Calls hold `traffic` for reading while they are in the real module; what pulls sessions away from under them holds it
//! for writing, so that no fault here is a fault of the real module.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use cryptoki_sys::{
    CK_FUNCTION_LIST, CK_RV, CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_GENERAL_ERROR, CKR_OK, CKR_TOKEN_NOT_PRESENT,
};

use crate::counters::{Counters, Extra};
use crate::environment::Told;
use crate::functions::Function;
use crate::real::Real;
use crate::schedule::{Action, Rule, Schedule, Signature};

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// The module.
    Library,
    /// A slot.
    Slot(u64),
    /// A session.
    Session(u64),
}

/// All that this module knows.
pub(crate) struct Module {
    pub(crate) real: Real,
    told: Told,
    /// How often each rule applied.
    applied: Vec<AtomicU64>,
    /// Open sessions of this process that are counted.
    counted: AtomicU64,
    traffic: RwLock<()>,
    state: Mutex<State>,
}

/// What is so at the moment.
#[derive(Default)]
pub(crate) struct State {
    /// Open sessions.
    pub(crate) sessions: HashMap<u64, Session>,
    /// Tokens that are gone or broken.
    away: HashMap<u64, Away>,
    labels: HashMap<u64, String>,
}

/// An open session.
pub(crate) struct Session {
    /// Its slot.
    pub(crate) slot: u64,
    /// The last good signature, for stale ones.
    pub(crate) last: Vec<u8>,
    /// Whether there was a login for the next signature.
    pub(crate) authenticated: bool,
}

struct Away {
    until: Instant,
    /// Afterwards it is there, but fails until C_Initialize.
    broken: bool,
}

static MODULE: OnceLock<Option<Module>> = OnceLock::new();

/// A call that was let through.
pub(crate) struct Pass {
    pub(crate) module: &'static Module,
    after: Option<CK_RV>,
    /// What is to be made of the signature.
    pub(crate) signature: Option<Signature>,
    traffic: Option<RwLockReadGuard<'static, ()>>,
    /// When the call may return.
    not_before: Option<Instant>,
    _under_way: UnderWay,
}

impl Pass {
    /// The real module's functions.
    pub(crate) fn real(&self) -> &CK_FUNCTION_LIST {
        &self.module.real.list
    }

    /// The call's answer, after it was made.
    pub(crate) fn leave(mut self, answer: CK_RV) -> CK_RV {
        self.traffic = None;
        if let Some(left) = self
            .not_before
            .and_then(|end| end.checked_duration_since(Instant::now()))
        {
            sleep(left);
        }
        self.after.filter(|_| answer == CKR_OK).unwrap_or(answer)
    }

    /// Waits until no other call is in the real module.
    pub(crate) fn alone(&mut self) -> RwLockWriteGuard<'static, ()> {
        self.traffic = None;
        self.module.traffic.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls under way in this process. Others that count in the same file have their own library.
static UNDER_WAY: AtomicU64 = AtomicU64::new(0);

/// A call under way, from its start to its end, for the check of C_Finalize.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How many calls are under way.
pub(crate) fn under_way() -> u64 {
    UNDER_WAY.load(Ordering::SeqCst)
}

/// Lets a call through, or says what it is answered with.
pub(crate) fn enter(function: Function, scope: Scope) -> Result<Pass, CK_RV> {
    let module = module().ok_or(CKR_GENERAL_ERROR)?;
    module.told.counters.count(function);
    let under_way = UnderWay::begin();
    let mut pass = Pass {
        module,
        after: None,
        signature: None,
        traffic: None,
        not_before: None,
        _under_way: under_way,
    };
    for (rule, applied) in module.told.schedule.rules.iter().zip(&module.applied) {
        if rule.function.is_some_and(|only| only != function) || !module.concerns(rule, scope) {
            continue;
        }
        let call = applied.fetch_add(1, Ordering::SeqCst) + 1;
        if rule.when.holds(call) {
            module.act(rule.action, call, scope, &mut pass)?;
        }
    }
    module.present(function, scope)?;
    pass.traffic = Some(module.traffic.read().unwrap_or_else(PoisonError::into_inner));
    Ok(pass)
}

/// The module, as the environment says; nothing, and a line on stderr, if it says nothing that can be used.
#[allow(clippy::print_stderr, reason = "a test has to see why its provider does not work")]
pub(crate) fn module() -> Option<&'static Module> {
    let made = MODULE.get_or_init(|| {
        let made = Told::read().and_then(|told| Ok((Real::load(&told.module)?, told)));
        match made {
            Ok((real, told)) => Some(Module {
                real,
                applied: told.schedule.rules.iter().map(|_| AtomicU64::new(0)).collect(),
                counted: AtomicU64::new(0),
                told,
                traffic: RwLock::new(()),
                state: Mutex::default(),
            }),
            Err(reason) => {
                eprintln!("faulty-provider: {reason}");
                None
            }
        }
    });
    made.as_ref()
}

impl Module {
    pub(crate) fn schedule(&self) -> &Schedule {
        &self.told.schedule
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.told.counters
    }

    /// Tokens that cannot be seen at the moment.
    pub(crate) fn unseen(&self, slot: u64) -> bool {
        self.state()
            .away
            .get(&slot)
            .is_some_and(|away| Instant::now() < away.until)
    }

    /// Takes note of a session.
    pub(crate) fn opened(&self, session: u64, slot: u64) {
        let mut state = self.state();
        let fresh = Session {
            slot,
            last: Vec::new(),
            authenticated: false,
        };
        state.sessions.insert(session, fresh);
        self.count_sessions(&state);
    }

    /// Forgets sessions.
    pub(crate) fn closed(&self, gone: impl Fn(u64, &Session) -> bool) {
        let mut state = self.state();
        state.sessions.retain(|handle, session| !gone(*handle, session));
        self.count_sessions(&state);
    }

    /// What C_Finalize does to what is known here.
    pub(crate) fn finalised(&self) {
        let mut state = self.state();
        state.sessions.clear();
        state.away.retain(|_, away| Instant::now() < away.until);
        for away in state.away.values_mut() {
            away.broken = false;
        }
        self.count_sessions(&state);
    }

    /// Other processes may count in the same file: a difference is added to what they have.
    fn count_sessions(&self, state: &State) {
        let open = state.sessions.len() as u64;
        let more = open.wrapping_sub(self.counted.swap(open, Ordering::SeqCst));
        let before = self.counters().extra(Extra::Open).fetch_add(more, Ordering::SeqCst);
        let open = before.wrapping_add(more);
        self.counters().extra(Extra::Peak).fetch_max(open, Ordering::SeqCst);
    }

    fn slot_of(&self, scope: Scope) -> Option<u64> {
        match scope {
            Scope::Library => None,
            Scope::Slot(slot) => Some(slot),
            Scope::Session(session) => self.state().sessions.get(&session).map(|session| session.slot),
        }
    }

    fn concerns(&self, rule: &Rule, scope: Scope) -> bool {
        let Some(label) = &rule.token else { return true };
        let Some(slot) = self.slot_of(scope) else { return false };
        if let Some(known) = self.state().labels.get(&slot) {
            return known == label;
        }
        let known = self.real.label(slot);
        let concerned = known == *label;
        if !known.is_empty() {
            self.state().labels.insert(slot, known);
        }
        concerned
    }

    fn act(&self, action: Action, call: u64, scope: Scope, pass: &mut Pass) -> Result<(), CK_RV> {
        match action {
            Action::Sleep(time) => {
                sleep(time);
                return Ok(());
            }
            Action::Take(time) => {
                pass.not_before = Some(Instant::now() + time);
                return Ok(());
            }
            Action::Tail(time, every, long) => {
                sleep(if call.is_multiple_of(every) { long } else { time });
                return Ok(());
            }
            _ => self.counters().extra(Extra::Fired).fetch_add(1, Ordering::SeqCst),
        };
        match action {
            Action::Answer(code) => return Err(code),
            Action::After(code) => pass.after = Some(code),
            Action::Signature(kind) => pass.signature = Some(kind),
            Action::Remove(time) => self.remove(scope, time, false),
            Action::Fail(time) => self.remove(scope, time, true),
            Action::Logout | Action::Close => {
                let _alone = self.traffic.write().unwrap_or_else(PoisonError::into_inner);
                if let Scope::Session(session) = scope {
                    if matches!(action, Action::Logout) {
                        self.real.logout(session);
                    } else {
                        self.real.close(session);
                        self.closed(|handle, _| handle == session);
                    }
                }
            }
            Action::Hang => loop {
                sleep(Duration::from_secs(3600));
            },
            Action::Abort => std::process::abort(),
            Action::Fork => {
                // SAFETY: the caller has one thread that matters; what the child does is what the test is about.
                let _ = unsafe { libc::fork() };
            }
            Action::Sleep(_) | Action::Take(_) | Action::Tail(..) => {}
        }
        Ok(())
    }

    /// The token goes, and every session on it.
    fn remove(&self, scope: Scope, time: Duration, broken: bool) {
        let Some(slot) = self.slot_of(scope) else { return };
        let _alone = self.traffic.write().unwrap_or_else(PoisonError::into_inner);
        self.real.close_all(slot);
        self.closed(|_, session| session.slot == slot);
        let until = Instant::now() + time;
        self.state().away.insert(slot, Away { until, broken });
    }

    /// Refuses calls to a token that is gone or broken. A session that went with its token has no slot any more: the real
    /// module does not know it either.
    fn present(&self, function: Function, scope: Scope) -> Result<(), CK_RV> {
        let about_all = matches!(
            function,
            Function::C_Initialize | Function::C_Finalize | Function::C_GetInfo | Function::C_GetSlotList
        );
        let slot = self.slot_of(scope);
        let state = self.state();
        if about_all || state.away.is_empty() {
            return Ok(());
        }
        let away = match (scope, slot) {
            (Scope::Session(_), None) => state.away.values().next(),
            (_, Some(slot)) => state.away.get(&slot),
            _ => None,
        };
        match (away, scope) {
            (None, _) => Ok(()),
            (Some(away), Scope::Session(_)) if Instant::now() < away.until => Err(CKR_DEVICE_REMOVED),
            (Some(away), _) if Instant::now() < away.until => Err(CKR_TOKEN_NOT_PRESENT),
            (Some(away), _) if away.broken => Err(CKR_DEVICE_ERROR),
            _ => Ok(()),
        }
    }
}
