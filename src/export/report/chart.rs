//! Charts as inline SVG, drawn for paper: no colour carries a meaning alone.
//!
//! In: named figures. Out: SVG.
//! Never: needs a script.

use maud::{Markup, html};

/// One bar.
pub(super) struct Bar {
    /// What stands below or before it.
    pub(super) label: String,
    /// How long it is.
    pub(super) value: f64,
    /// The figure as it is written.
    pub(super) figure: String,
    /// Whether something happened there.
    pub(super) marked: bool,
}

const WIDTH: f64 = 720.0;
/// A day's bar at the most, however short the period.
const WIDEST: f64 = 48.0;

/// Upright bars, one a day.
pub(super) fn days(title: &str, bars: &[Bar]) -> Markup {
    const HEIGHT: f64 = 150.0;
    const FOOT: f64 = 18.0;
    const HEAD: f64 = 14.0;
    let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let count = bars.len().max(1);
    #[expect(clippy::cast_precision_loss, reason = "a period has few days")]
    let step = WIDTH / count as f64;
    let wide = (step * 0.8).min(WIDEST);
    let every = count.div_ceil(10);
    let top = bars.iter().max_by(|a, b| a.value.total_cmp(&b.value)).filter(|bar| bar.value > 0.0);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(summary(title, bars)) {
            @if let Some(top) = top {
                line class="grid" x1="0" x2=(WIDTH) y1=(HEAD) y2=(HEAD) {}
                text x="0" y=(HEAD - 4.0) { (top.figure) }
            }
            line class="axis" x1="0" x2=(WIDTH) y1=(HEIGHT - FOOT) y2=(HEIGHT - FOOT) {}
            @for (n, bar) in bars.iter().enumerate() {
                @let x = at(n, step);
                @let height = bar.value / most * (HEIGHT - FOOT - HEAD);
                rect class=(if bar.marked { "bar marked" } else { "bar" }) x=(fixed(x + (step - wide) / 2.0)) width=(fixed(wide))
                    y=(fixed(HEIGHT - FOOT - height)) height=(fixed(height)) { title { (bar.label) ": " (bar.figure) } }
                @if bar.marked { text x=(fixed(x + step / 2.0)) y=(fixed(HEIGHT - FOOT - height - 3.0)) text-anchor="middle" { "!" } }
                @if n % every == 0 { text x=(fixed(x + step / 2.0)) y=(HEIGHT - 4.0) text-anchor="middle" { (bar.label) } }
            }
        }
    }
}

/// Lying bars, one a row.
pub(super) fn rows(title: &str, bars: &[Bar]) -> Markup {
    const ROW: f64 = 20.0;
    const NAME: f64 = 220.0;
    const FIGURE: f64 = 110.0;
    let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {}", at(bars.len(), ROW).max(ROW))) role="img" aria-label=(summary(title, bars)) {
            @for (n, bar) in bars.iter().enumerate() {
                @let y = at(n, ROW);
                @let width = bar.value / most * (WIDTH - NAME - FIGURE);
                text x="0" y=(fixed(y + 14.0)) { (bar.label) }
                rect class="bar" x=(NAME) y=(fixed(y + 3.0)) width=(fixed(width)) height=(ROW - 6.0) {}
                text x=(fixed(NAME + width + 6.0)) y=(fixed(y + 14.0)) { (bar.figure) }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a chart has few bars")]
fn at(n: usize, step: f64) -> f64 {
    n as f64 * step
}

fn fixed(x: f64) -> String {
    format!("{x:.1}")
}

fn summary(title: &str, bars: &[Bar]) -> String {
    let figures: Vec<String> = bars.iter().map(|bar| format!("{} {}", bar.label, bar.figure)).collect();
    format!("{title}: {}", figures.join(", "))
}
