//! What a run tells of itself: the JSON report by its schema, the figures for Prometheus, the events for programs, and the
//! page before a real browser.

use std::collections::BTreeMap;

use serde_json::Value;
use signet_tests::judges::normalise;
use signet_tests::zones::{Zone, leaf};
use signet_tests::{Browser, Faulty, Run, Scratch, Signet, Token, full, misfits, project};

use crate::faults::stage::ECDSA;
use crate::signing::{Pair, Place};

/// A run that told all it could, on a token with two sessions.
struct Told {
    run: Run,
    scratch: Scratch,
    zone: Zone,
    token: Token,
    report: Value,
}

impl Told {
    fn by(zone: Zone, place: Place, flags: &[&str]) -> Self {
        let (scratch, token) = (Scratch::new(), Token::new("<b>token & co</b>"));
        let keys = scratch.make_folder("keys");
        let pair = Pair::generate(&token, &zone.origin, "ECDSAP256SHA256", place, &keys);
        let file = zone.write(&scratch, &[]);
        let mut sign = Signet::sign(&file, &zone.origin, &scratch.path("signed"), &keys).keys(&pair.both());
        for (flag, name) in [
            ("--report", "run.json"),
            ("--metrics", "run.prom"),
            ("--html", "run.html"),
        ] {
            sign = sign.arg(flag).arg(scratch.path(name));
        }
        let run = sign.args(["--sessions", "2"]).args(flags).on(&token).run();
        run.succeeds();
        let report = serde_json::from_str(&scratch.read("run.json")).expect("a report is JSON");
        Self {
            run,
            scratch,
            zone,
            token,
            report,
        }
    }
}

fn sum(values: &Value) -> u64 {
    let values = values.as_array().expect("an array");
    values.iter().map(|value| value.as_u64().expect("a count")).sum()
}

#[test]
fn of_keys_on_disk_every_256th_signature_is_sampled() {
    let told = Told::by(leaf(1000), Place::Disk, &["--verify", "none"]);
    let made = told.report["keys"].as_array().unwrap().iter();
    let expected: u64 = made.map(|key| key["signatures"].as_u64().unwrap().div_ceil(256)).sum();
    assert!(expected > 10, "{expected}");
    assert_eq!(told.report["sampled"], expected);
}

#[test]
fn a_report_fits_its_schema_and_its_sums_agree() {
    let told = Told::by(leaf(3000), Place::Token, &["--jitter", "5d"]);
    let schema = std::fs::read_to_string(project().join("pipeline/report.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let report = &told.report;
    assert_eq!(misfits(&schema, report), Vec::<String>::new());
    let mut broken = report.clone();
    broken["serial"] = "1".into();
    broken["keys"][0]["pin"] = "1234".into();
    broken.as_object_mut().unwrap().remove("names");
    assert_eq!(misfits(&schema, &broken).len(), 3, "the schema refuses what is wrong");

    let signatures = normalise(&told.scratch.path("signed"), &told.zone.origin).signatures() as u64;
    let of = |list: &Value, field: &str| -> u64 {
        let items = list.as_array().unwrap();
        items.iter().map(|item| item[field].as_u64().unwrap()).sum()
    };
    assert_eq!(of(&report["keys"], "signatures"), signatures);
    assert_eq!(of(&report["sessions"], "signatures"), signatures);
    assert_eq!(of(&report["latencies"], "signatures"), signatures);
    assert_eq!(of(&report["latencies"][0]["buckets"], "signatures"), signatures);
    assert_eq!(of(&report["expiry"], "signatures"), signatures);
    assert_eq!(sum(&report["timeline"]["signatures"][0]["counts"]), signatures);
    assert_eq!(report["records_by_type"]["RRSIG"], signatures);
    assert!(
        report["expiry"].as_array().unwrap().len() >= 5,
        "jitter spreads the days"
    );

    let text = told.scratch.read("signed");
    assert_eq!(report["records_out"], text.lines().count());
    assert_eq!(report["bytes_out"], text.len());
    // What is written last into holes is counted again.
    assert!(sum(&report["timeline"]["written"]) >= text.len() as u64);
    let mut types: BTreeMap<&str, u64> = BTreeMap::new();
    for line in text.lines() {
        *types.entry(line.split_ascii_whitespace().nth(3).unwrap()).or_default() += 1;
    }
    assert_eq!(report["records_by_type"], serde_json::to_value(types).unwrap());

    let token = &report["tokens"][0];
    assert_eq!(
        (&token["label"], &token["sessions"]),
        (&told.token.label().into(), &2.into())
    );
    assert_eq!(token["keys"].as_array().unwrap().len(), 2);
    for (digest, file) in [
        (&report["digests"]["output"], told.scratch.path("signed")),
        (
            &report["digests"]["input"],
            told.scratch.path(&format!("{}.zone", told.zone.name)),
        ),
        (&token["module_sha256"], token["module"].as_str().unwrap().into()),
    ] {
        let judge = signet_tests::Program::new("/usr/bin/sha256sum").arg(&file).run();
        assert_eq!(
            digest.as_str(),
            judge.succeeds().stdout.split_whitespace().next(),
            "{file:?}"
        );
    }
    assert!(!told.run.output().contains(told.token.pin()));
}

/// With `SIGNET_FULL=1` on 100,000 names.
#[test]
fn no_stage_on_one_core_costs_much() {
    let told = Told::by(leaf(if full() { 100_000 } else { 6000 }), Place::Disk, &[]);
    let (cpu, stages) = (&told.report["cpu"], told.report["one_core"].as_array().unwrap());
    let names: Vec<&str> = stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(names, ["read", "lead", "write", "digest"]);
    for stage in stages {
        let (own, share) = (stage["cpu"].as_f64().unwrap(), stage["share"].as_f64().unwrap());
        assert!((own / cpu.as_f64().unwrap() - share).abs() < 1e-6);
        // What takes less than 20 ms is not a zone's size.
        assert!(share <= 0.03 || own < 0.02, "{stages:?}");
    }
    let page = told.scratch.read("run.html");
    assert!(page.contains("by one thread at a time: read "));
    println!("{cpu} s: {stages:?}");
}

#[test]
fn what_is_signed_is_written_and_verified_while_more_is_signed() {
    let flags = ["--sessions", "2", "--partition-records", "20"];
    let outcome = ECDSA.sign("C_Sign * take 2000", &flags);
    outcome.complete();
    let report: Value = serde_json::from_str(&outcome.scratch.read("reports/run.json")).unwrap();
    let timeline = &report["timeline"];
    let counts = timeline["signatures"][0]["counts"].as_array().unwrap();
    // By the slot in which half of the signatures are made, a good part of the text is written.
    let (mut made, all) = (0, sum(&timeline["signatures"][0]["counts"]));
    let half = counts.iter().position(|count| {
        made += count.as_u64().unwrap();
        made * 2 >= all
    });
    let slots = timeline["written"].as_array().unwrap();
    let early: u64 = slots[..=half.unwrap()].iter().map(|slot| slot.as_u64().unwrap()).sum();
    assert!(early * 4 > sum(&timeline["written"]), "{timeline}");
    // What is left to be verified behind the last signature is little.
    let steps = report["steps"].as_array().unwrap();
    let verify = steps.iter().find(|step| step["step"] == "verify").unwrap();
    assert!(verify["tasks"].as_u64().unwrap() > 10, "{verify}");
    let behind = report["stages"]["verify"].as_f64().unwrap();
    assert!(
        behind < 0.25 * verify["wall"].as_f64().unwrap(),
        "{behind} s of {verify}"
    );
}

#[test]
fn metrics_are_the_reports_figures() {
    let told = Told::by(leaf(100), Place::Mixed, &[]);
    let text = told.scratch.read("run.prom");
    let mut typed = BTreeMap::new();
    let mut samples: BTreeMap<String, f64> = BTreeMap::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            assert_eq!(
                typed.insert(name.to_owned(), kind.to_owned()),
                None,
                "{name} has one block"
            );
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let value = value.parse().expect("a number");
            assert_eq!(samples.insert(name.to_owned(), value), None, "{name} stands once");
            let base = name.split('{').next().unwrap();
            let of_histogram = ["_bucket", "_sum", "_count"].iter().any(|end| {
                base.strip_suffix(end)
                    .is_some_and(|base| typed.get(base).is_some_and(|kind| kind == "histogram"))
            });
            assert!(typed.contains_key(base) || of_histogram, "{base} has a type");
        }
    }
    let report = &told.report;
    let sample = |name: &str| samples[&format!("signet_{name}")];
    assert_eq!(
        sample("zone_serial{zone=\"leaf.test.\"}"),
        report["serial"].as_f64().unwrap()
    );
    assert_eq!(
        sample("zone_earliest_expiry_timestamp_seconds{zone=\"leaf.test.\"}"),
        report["earliest_expiry"].as_f64().unwrap()
    );
    let records = report["records_by_type"]["RRSIG"].as_f64().unwrap();
    assert_eq!(sample("zone_records{zone=\"leaf.test.\",type=\"RRSIG\"}"), records);
    let store = "token '<b>token & co</b>'";
    assert_eq!(
        sample(&format!(
            "last_run_signature_seconds_count{{zone=\"leaf.test.\",store=\"{store}\"}}"
        )),
        1.0,
        "the KSK's one"
    );
}

#[test]
fn a_failed_run_leaves_the_old_files_and_no_new_one() {
    let scratch = Scratch::new();
    let keys = scratch.make_folder("keys");
    let zone = leaf(5);
    let pair = Pair::of_bind("ED25519", &zone.origin, &keys);
    let file = zone.write(&scratch, &[]);
    scratch.write("run.prom", "old");
    let faulty = scratch.write(
        "faulty",
        format!("{}x CNAME\n", std::fs::read_to_string(&file).unwrap()),
    );
    let tell = |zone_file, folder: &str| {
        Signet::sign(zone_file, &zone.origin, &scratch.path("signed"), &keys)
            .keys(&pair.both())
            .arg("--metrics")
            .arg(scratch.path("run.prom"))
            .arg("--html")
            .arg(scratch.path(folder).join("run.html"))
            .run()
    };
    tell(&faulty, ".").exits(1);
    assert_eq!(scratch.read("run.prom"), "old");
    assert!(!scratch.listing(".").contains("run.html"));
    // A file that cannot be written is known before anything is signed.
    tell(&file, "no-such-folder").exits(4).says(&["no-such-folder"]);
    assert!(!scratch.listing(".").contains("signed"));
    tell(&file, ".").succeeds();
    assert!(scratch.read("run.prom").contains("signet_zone_serial"));
}

#[test]
fn a_dry_run_counts_what_a_run_does_and_writes_nothing() {
    for (place, denial) in [
        (Place::Token, &["--nsec"][..]),
        (Place::Mixed, &["--nsec3", "--zonemd", "sha384"]),
    ] {
        let (scratch, token, faulty) = (Scratch::new(), Token::default(), Faulty::new(""));
        let keys = scratch.make_folder("keys");
        let zone = leaf(1500);
        let pair = Pair::generate(&token, &zone.origin, "ECDSAP256SHA256", place, &keys);
        let file = zone.write(&scratch, &[]);
        let run = |name: &str, flags: &[&str]| -> Value {
            let run = Signet::sign(&file, &zone.origin, &scratch.path("signed"), &keys)
                .keys(&pair.both())
                .args(denial)
                .args(["--sessions", "2", "--report"])
                .arg(scratch.path(name))
                .args(flags)
                .envs(token.faulty_environment(&faulty))
                .run();
            run.succeeds();
            if flags.contains(&"--dry-run") {
                run.says(&[
                    "would be signed",
                    " calls, ",
                    " a second as measured",
                    "; memory ",
                    "nothing was written",
                ]);
            }
            serde_json::from_str(&scratch.read(name)).unwrap()
        };
        let dry = run("dry.json", &["--dry-run"]);
        assert!(!scratch.listing(".").contains("signed"), "nothing is written");
        let before = faulty.calls("C_Sign");
        let real = run("real.json", &[]);
        for field in [
            "serial",
            "records_in",
            "records_out",
            "bytes_out",
            "records_by_type",
            "names",
            "denial_records",
            "keys",
            "decisions",
            "earliest_expiry",
            "expiry",
        ] {
            assert_eq!(dry[field], real[field], "{field}");
        }
        assert!(real["dry_run"].is_null());
        // What cannot be known to the byte is near.
        let (memory, real_memory) = (dry["peak_memory"].as_f64(), real["peak_memory"].as_f64());
        assert!(memory.unwrap() * 2.0 > real_memory.unwrap());
        let stores = dry["dry_run"]["stores"].as_array().unwrap();
        let calls: u64 = stores.iter().map(|store| store["calls"].as_u64().unwrap()).sum();
        // Beside the zone's signatures there are the proofs: of each key's session copies.
        let on_token = if place == Place::Token { 2 } else { 1 };
        assert_eq!(faulty.calls("C_Sign") - before, calls / 2 + 2 * on_token);
        for store in stores {
            let (rate, seconds) = (store["rate"].as_f64().unwrap(), store["seconds"].as_f64().unwrap());
            assert!(rate > 10.0 && (seconds * rate - store["signatures"].as_f64().unwrap()).abs() < 1.0);
        }
        let schema = std::fs::read_to_string(project().join("pipeline/report.schema.json")).unwrap();
        assert_eq!(
            misfits(&serde_json::from_str(&schema).unwrap(), &dry),
            Vec::<String>::new()
        );
        // Now there is nothing to do, and the dry run says so.
        let again = Signet::sign(&scratch.path("signed"), &zone.origin, &scratch.path("signed"), &keys)
            .keys(&pair.both())
            .args(["--dry-run", "--report"])
            .arg(scratch.path("again.json"))
            .envs(token.faulty_environment(&faulty))
            .run();
        if place == Place::Token {
            again.succeeds().says(&["nothing to do"]);
        }
    }
}

#[test]
fn a_dry_run_tells_how_long_a_run_takes() {
    // A pace that another test's load does not change: two sessions at 3 ms a signature.
    let (schedule, flags) = ("C_Sign * take 3000", ["--sessions", "2"]);
    let report = |flags: &[&str]| -> Value {
        let outcome = ECDSA.sign(schedule, flags);
        outcome.run.succeeds();
        serde_json::from_str(&outcome.scratch.read("reports/run.json")).unwrap()
    };
    let dry = report(&[&flags[..], &["--dry-run"]].concat());
    let real = report(&flags)["stages"]["sign"].as_f64().unwrap();
    let [best, worst] = ["at_best", "at_worst"].map(|bound| dry["dry_run"][bound].as_f64().unwrap());
    println!("{best} s to {worst} s by the dry run, {real} s of signing");
    assert!(best < real * 1.25 && real < worst * 1.5, "{best} to {worst}, {real}");
    assert!(best > real * 0.5 && worst < real * 2.0, "{best} to {worst}, {real}");
}

#[test]
fn events_are_json_lines() {
    let told = Told::by(leaf(8000), Place::Token, &["--progress", "json"]);
    let events: Vec<Value> = told
        .run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let phases: Vec<_> = named("phase").iter().map(|event| event["phase"].clone()).collect();
    for phase in ["load", "sign", "publish"] {
        assert!(phases.contains(&phase.into()), "{phases:?}");
    }
    let progress = named("progress");
    let last = progress
        .last()
        .expect("signing takes longer than the pause between events");
    assert!(last["rate"].as_f64().unwrap() > 0.0 && last["total"].is_u64());
    assert!(progress.iter().any(|event| event["eta"].is_f64()), "{progress:?}");
    let store = &last["stores"][0];
    assert!(store["store"].as_str().unwrap().contains(told.token.label()));
    assert!(store["signatures"].as_u64().unwrap() > 0);
    let done = named("done");
    assert_eq!(done.len(), 1);
    assert_eq!(done[0]["serial"], told.report["serial"]);
    assert!(events.iter().all(|event| event["elapsed"].is_f64()));

    let scratch = Scratch::new();
    let run = Signet::new("sign nowhere.zone -o x. --progress json")
        .folder(scratch.folder())
        .run();
    assert_ne!(run.code, Some(0));
    let first: Value = serde_json::from_str(run.stderr.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["event"], first["exit_code"].as_i64()),
        (&"failed".into(), run.code.map(i64::from))
    );
}

/// The values of a picture's marks, as the browser has them, each with the share of the picture that it takes.
fn marks(browser: &mut Browser, selector: &str, side: &str) -> Vec<(f64, f64)> {
    let expression =
        format!("[...document.querySelectorAll({selector:?})].map(r => [+r.dataset.value, r.{side}.baseVal.value])");
    let marks = browser.value(&expression);
    let number = |mark: &Value, at: usize| mark[at].as_f64().expect("a number");
    let marks = marks.as_array().expect("an array");
    marks.iter().map(|mark| (number(mark, 0), number(mark, 1))).collect()
}

/// All marks are as long as their values say, and something of it can be seen.
fn in_proportion(marks: &[(f64, f64)], what: &str) {
    let (value, length) = marks.iter().fold(
        (0.0, 0.0),
        |most: (f64, f64), mark| {
            if mark.0 > most.0 { *mark } else { most }
        },
    );
    assert!(value > 0.0 && length > 10.0, "{what}: nothing is drawn: {marks:?}");
    for (own, drawn) in marks {
        assert!(
            (drawn - own / value * length).abs() < 0.02,
            "{what}: {own} is drawn {drawn} long"
        );
    }
}

#[test]
fn the_page_before_a_browser() {
    let told = Told::by(leaf(4000), Place::Token, &["--jitter", "20d"]);
    let mut browser = Browser::start();
    browser.open(&told.scratch.path("run.html"));
    let report = &told.report;
    let numbers = |list: &Value, field: Option<&str>| -> Vec<f64> {
        let items = list.as_array().unwrap().iter();
        items
            .map(|item| field.map_or(item, |field| &item[field]).as_f64().unwrap())
            .collect()
    };
    let values = |marks: &[(f64, f64)]| marks.iter().map(|mark| mark.0).collect::<Vec<f64>>();

    let throughput = marks(&mut browser, "#throughput rect[data-series='0']", "height");
    assert_eq!(
        values(&throughput),
        numbers(&report["timeline"]["signatures"][0]["counts"], None)
    );
    in_proportion(&throughput, "throughput");
    let written = marks(&mut browser, "#written rect[data-series='0']", "height");
    assert_eq!(values(&written), numbers(&report["timeline"]["written"], None));
    in_proportion(&written, "written");
    let latency = marks(&mut browser, "#latency-0 rect[data-series='0']", "height");
    assert_eq!(
        values(&latency),
        numbers(&report["latencies"][0]["buckets"], Some("signatures"))
    );
    in_proportion(&latency, "latency");
    let expiry = marks(&mut browser, "#expiry rect[data-day]", "width");
    assert_eq!(values(&expiry), numbers(&report["expiry"], Some("signatures")));
    let types = marks(&mut browser, "#types rect[data-value]", "width");
    let mut counts: Vec<f64> = report["records_by_type"]
        .as_object()
        .unwrap()
        .values()
        .map(|n| n.as_f64().unwrap())
        .collect();
    counts.sort_by(|one, other| other.total_cmp(one));
    assert_eq!(values(&types), counts);
    in_proportion(&types, "types");
    let times = marks(&mut browser, "#times rect[data-value]", "width");
    in_proportion(&times, "times");
    for step in report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["step"] != "wait")
    {
        let row = format!("#times rect[data-row={}]", step["step"]);
        let of_row = values(&marks(&mut browser, &row, "width"));
        let (wall, cpu) = (step["wall"].as_f64().unwrap(), step["cpu"].as_f64().unwrap());
        assert_eq!(of_row, [cpu, (wall - cpu).max(0.0)], "{step}");
    }
    for (number, session) in report["sessions"].as_array().unwrap().iter().enumerate() {
        let row = format!("#times rect[data-row$='session {}']", number + 1);
        let expected: Vec<f64> = ["cpu", "waiting", "idle"]
            .map(|field| session[field].as_f64().unwrap())
            .into();
        assert_eq!(values(&marks(&mut browser, &row, "width")), expected);
    }

    // The report in the page is the report, and a token's label did not become markup.
    let embedded = browser.value("document.getElementById('report').textContent");
    let embedded: Value = serde_json::from_str(embedded.as_str().unwrap()).unwrap();
    assert!(embedded == *report, "the report in the page is another one");
    assert_eq!(browser.value("document.querySelectorAll('b').length"), 0);
    let text = browser.value("document.body.innerText");
    assert!(text.as_str().unwrap().contains("token '<b>token & co</b>'"));
    // Every picture has its place on the page, none over another.
    let boxes = browser.value(
        "[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect()).map(r => [r.x, r.y, r.width, r.height])",
    );
    let boxes: Vec<[f64; 4]> = serde_json::from_value(boxes).unwrap();
    assert_eq!(boxes.len(), 6);
    for (at, one) in boxes.iter().enumerate() {
        assert!(one[2] > 200.0 && one[3] > 40.0, "{one:?}");
        for other in &boxes[at + 1..] {
            let apart =
                |side: usize| one[side] + one[side + 2] <= other[side] || other[side] + other[side + 2] <= one[side];
            assert!(apart(0) || apart(1), "{one:?} and {other:?} overlap");
        }
    }

    let picture = data_encoding::BASE64.decode(browser.screenshot().as_bytes()).unwrap();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 20_000);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-page.png");
    std::fs::write(&path, picture).unwrap();
    println!("the page as the browser shows it: {}", path.display());
    assert_eq!(browser.complaints(), &[] as &[String], "the console is quiet");
    let asked: Vec<_> = browser
        .requests()
        .iter()
        .filter(|url| !url.starts_with("file:") && !url.starts_with("data:"))
        .collect();
    assert!(asked.is_empty(), "the network is left alone: {asked:?}");
}
