use std::fs;

use super::{open, open_again};
use crate::sled::CACHE_BYTES;

#[test]
fn settings_that_a_power_failure_took_from_a_first_start_are_written_again() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(folder.path(), CACHE_BYTES).expect("opened"));
    let conf = folder.path().join("sled/conf");
    let whole = fs::read(&conf).expect("settings");
    for left in [&[][..], &whole[..20], &[0; 58], &[0; 62]] {
        // The mark is written last.
        fs::write(folder.path().join("mark"), "").expect("written");
        fs::write(&conf, left).expect("written");
        drop(open_again(folder.path()));
        assert_eq!(fs::read(&conf).expect("settings"), whole);
    }
}
