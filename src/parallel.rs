//! The same work on many things at once, its results in the order of the things.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` on each item and its number, in up to so many threads; 0 is as many as there are processors.
///
/// Fewer where the system gives no more: this thread takes part, so that it alone is enough.
pub fn map<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(usize, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else {
                return done;
            };
            done.push((number, work(number, item)));
        }
    };
    let threads = match threads {
        _ if items.len() < 2 => 1,
        // Asked only where it matters: the answer takes some files of the system.
        0 => thread::available_parallelism().map_or(1, usize::from),
        some => some,
    };
    let mut all: Vec<(usize, R)> = thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, run).ok();
        let others: Vec<_> = (1..threads.min(items.len())).map_while(start).collect();
        let mut all = run();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn without_a_number_of_threads_each_processor_works() {
        if thread::available_parallelism().map_or(1, usize::from) < 2 {
            return;
        }
        // Each of two items waits for the other one to begin.
        let pairs: [(Sender<()>, Receiver<()>); 2] = [channel(), channel()];
        let items = pairs.map(|(sender, receiver)| (sender, Mutex::new(receiver)));
        let met = map(&items, 0, |number, (_, receiver)| {
            let _ = items[1 - number].0.send(());
            let receiver = receiver.lock().expect("the only one");
            receiver.recv_timeout(Duration::from_secs(20)).is_ok()
        });
        assert_eq!(met, [true, true]);
    }
}
