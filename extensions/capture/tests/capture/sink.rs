//! Files that cannot be written.

use std::io::ErrorKind;

use cloverleaf_capture::{Capture, Options, Status};
use cloverleaf_proto::Message;
use cloverleaf_proto::extension::{Extensions, Hints};

use crate::conversation::{ROLES, small};
use crate::{Disk, Pair, capture_to};

#[test]
fn a_disk_that_is_full_disturbs_no_connection_and_its_error_can_be_read() {
    let whole = small(ROLES[0], Options::new());
    for role in ROLES {
        for size in [0, 1, 100, 200, 300, 1000] {
            let disk = Disk::of_size(size);
            let capture = capture_to(&disk, Options::new());
            let mut pair = Pair::new(role, &capture, &Extensions::new(), true);
            for _ in 0..5 {
                let message = Message::text("x".repeat(100));
                pair.client.send(message, Hints::new()).unwrap();
                assert_eq!(pair.settle().len(), 1);
            }
            let Status::Failed(error) = capture.status() else {
                panic!("{:?}", capture.status());
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            let error = capture.flush().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            assert_eq!(
                disk.read().len(),
                size,
                "what fits is there, and nothing behind it"
            );
            assert_eq!(disk.read()[..size.min(100)], whole[..size.min(100)]);
        }
    }
}

#[test]
fn a_file_is_made_and_one_that_cannot_be_is_an_error() {
    let folder = std::env::temp_dir().join(format!("cloverleaf-capture-{}", std::process::id()));
    let path = folder.join("a.pcapng");
    let clock = || std::time::Duration::ZERO;
    let error = Capture::create(&path, clock, Options::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    std::fs::create_dir(&folder).unwrap();
    let capture = Capture::create(&path, clock, Options::new()).unwrap();
    capture.flush().unwrap();
    let found = std::fs::read(&path).unwrap();
    assert_eq!(found.len() as u64, capture.written());
    assert_eq!(crate::reader::read(&found).packets.len(), 0);
    std::fs::remove_dir_all(&folder).unwrap();
}
