//! The page at `/`.
//!
//! In: the API's answers. Out: HTML.
//! Never: runs a script, loads anything, shows text from outside unescaped.

use std::fmt::Write;

use serde_json::Value;

use super::api::{Api, Query};

/// What the browser may do with it: nothing but show it.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
    table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #ccc;padding:.3rem .6rem;\
    text-align:left;vertical-align:top}.critical{color:#a00;font-weight:bold}.warning{color:#850}";

/// The page as it stands now.
pub(super) fn page(api: &Api) -> String {
    let status = api.status();
    let alerts = api.alerts(&Query { open: true, ..Query::default() });
    let mut html = String::from("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    html.push_str("<meta http-equiv=\"refresh\" content=\"10\"><title>Ringfence</title><style>");
    html.push_str(STYLE);
    let _ = write!(html, "</style><h1>Ringfence at {}</h1>", text(&status["site"]));
    let _ = write!(
        html,
        "<p>{} frames, {} calls attempted, {} up now, {} handsets, as of {}.</p><h2>Open alerts</h2>",
        text(&status["frames"]),
        text(&status["attempts"]),
        text(&status["calls_active"]),
        text(&status["handsets"]),
        text(&status["time"])
    );
    if alerts.is_empty() {
        html.push_str("<p>None.</p>");
    } else {
        html.push_str("<table><tr><th>Severity<th>Since<th>What</tr>");
        for alert in alerts.iter().rev().filter_map(|alert| serde_json::from_str::<Value>(alert).ok()) {
            let severity = text(&alert["severity"]);
            let (since, sentence) = (text(&alert["since"]), text(&alert["sentence"]));
            let _ = write!(html, "<tr><td class=\"{severity}\">{severity}<td>{since}<td>{sentence}</tr>");
        }
        html.push_str("</table>");
    }
    html.push_str(
        "<h2>What can be seen</h2><table><tr><th>Interface<th>State<th>Received<th>Last packet</tr>",
    );
    for source in status["sources"].as_array().into_iter().flatten() {
        let up = if source["up"] == true { "up" } else { "down" };
        let last = text(&source["last_packet"]["any"]);
        let (name, received) = (text(&source["interface"]), text(&source["received"]));
        let _ = write!(html, "<tr><td>{name}<td>{up}<td>{received}<td>{last}</tr>");
    }
    html.push_str("</table><ul>");
    for warning in status["warnings"].as_array().into_iter().flatten() {
        let _ = write!(html, "<li>{}", text(warning));
    }
    html.push_str("</ul>");
    html
}

/// A value as text that HTML can't misread.
fn text(value: &Value) -> String {
    let plain = match value {
        Value::String(text) => text.clone(),
        Value::Null => "never".to_owned(),
        other => other.to_string(),
    };
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_from_outside_stays_text() {
        let text = text(&Value::from("<script>\"&'"));
        assert_eq!(text, "&lt;script&gt;&quot;&amp;&#39;");
    }
}
