//! The page at `/`: one file, style and script inside it.
//!
//! In: its parts. Out: HTML and the policy that pins them.
//! Never: writes anything from outside into the page: the browser fetches that as data.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::record::advice;

/// The page and what the browser may do with it.
pub(super) struct Page {
    /// The HTML.
    pub(super) html: String,
    /// The Content-Security-Policy: just this script and style, data from here only, and no way to
    /// turn text into markup (Trusted Types).
    pub(super) policy: String,
}

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let style = include_str!("page/style.css");
    let script = include_str!("page/app.js").replace("@@ADVICE@@", &advice::all().to_string());
    let html = include_str!("page/index.html").replace("@@STYLE@@", style).replace("@@SCRIPT@@", &script);
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        pin(&script),
        pin(style)
    );
    Page { html, policy }
});

/// The policy for everything else: answers are data, not pages.
pub(super) const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub(super) fn page() -> &'static Page {
    &PAGE
}

fn pin(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_alone() {
        let html = &page().html;
        assert!(!html.contains("@@"));
        for outside in
            ["http://", "https://", "src=", "<link rel=\"stylesheet\"", "onclick", "innerHTML", "eval("]
        {
            let own = html.replace("http://www.w3.org/2000/svg", "");
            assert!(!own.contains(outside), "{outside}");
        }
        assert_eq!((html.matches("<script").count(), html.matches("<style").count()), (1, 1));
    }

    #[test]
    fn the_policy_pins_script_and_style() {
        let policy = &page().policy;
        assert_eq!(policy.matches("'sha256-").count(), 2);
        assert!(!policy.contains("unsafe"));
    }
}
