//! A token with many keys, listed in time. Made only for the long form of the tests (`SIGNET_FULL=1`).

use std::path::Path;

use hsm_core::{Halves, KeyKind};

use super::on_a_token_in;

/// 5,000 pairs, made past this crate's own checks, which would search for each label.
#[test]
fn five_thousand_are_listed_in_two_seconds() {
    if std::env::var_os("SIGNET_FULL").is_none_or(|value| value != "1") {
        return;
    }
    // SoftHSM syncs several files a key: in memory that costs minutes less.
    let memory = Path::new("/dev/shm");
    let temporary = std::env::temp_dir();
    let folder = if memory.is_dir() { memory } else { &temporary };
    on_a_token_in(folder, "many_keys::five_thousand_are_listed_in_two_seconds", |inside| {
        use cryptoki::mechanism::Mechanism;
        use cryptoki::object::Attribute;

        let login = inside.login();
        let context = cryptoki::context::Pkcs11::new(&inside.library).unwrap();
        let slots = context.get_slots_with_token().unwrap();
        let slot = slots
            .into_iter()
            .find(|slot| slot.id() == login.token().info().slot_id)
            .unwrap();
        let session = context.open_rw_session(slot).unwrap();
        let curve = Attribute::EcParams(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".to_vec());
        for number in 0..5000_u32 {
            let common = [
                Attribute::Token(true),
                Attribute::Label(format!("key {number:04}").into_bytes()),
                Attribute::Id(number.to_be_bytes().to_vec()),
            ];
            let public = [&common[..], std::slice::from_ref(&curve)].concat();
            let private = [&common[..], &[Attribute::Private(true), Attribute::Sign(true)]].concat();
            session
                .generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)
                .unwrap();
        }
        let (start, worked) = (std::time::Instant::now(), processor_seconds());
        let list = login.list().unwrap();
        let (took, worked) = (start.elapsed(), processor_seconds() - worked);
        eprintln!("5000 keys listed in {took:?}, {worked:.2} s of a processor");
        assert_eq!(list.len(), 5000);
        assert!(
            list.iter()
                .all(|key| key.halves == Halves::Both && key.kind == Some(KeyKind::P256))
        );
        // Wall time on a machine of one's own; a shared one is judged by the work.
        assert!(worked < 2.0, "{worked} s of a processor");
    });
}

/// User and system time of this process so far: fields 14 and 15 of its stat, in hundredths of a second.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
