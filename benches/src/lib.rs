//! What the benches share: CPU time of a thread, medians, a table.

use std::{
    io::{self, Write},
    time::Duration,
};

/// CPU time that this thread has used.
pub fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// The middle value; the lower one of two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get((values.len().max(1) - 1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

/// One line per figure: ours, the other's, their ratio, and the ratio to reach.
pub fn print(rows: &[(&str, f64, f64, &str)]) {
    let mut out = io::stdout().lock();
    let mut line = |text: String| {
        // A closed pipe is the reader's choice.
        out.write_all(text.as_bytes()).unwrap_or(());
    };
    line(format!(
        "{:<30} {:>10} {:>10} {:>7}  goal\n",
        "", "ours", "other", "ratio"
    ));
    for (what, ours, other, goal) in rows {
        let ratio = ours / other;
        line(format!(
            "{what:<30} {ours:>10.1} {other:>10.1} {ratio:>7.3}  {goal}\n"
        ));
    }
}
