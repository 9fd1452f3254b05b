"use strict";
// Whatever comes from the wire becomes text nodes only; the page's policy forbids any other way.
(() => {
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const DAY = 86400e3, HOUR = 3600e3;

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined) node.setAttribute(name, value);
    }
    for (const child of children.flat()) {
      if (child === null || child === undefined || child === false) continue;
      node.append(child.nodeType ? child : document.createTextNode(String(child)));
    }
    return node;
  }
  const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
  // What somebody has opened stays open, and what has the focus keeps it, however often it's drawn anew.
  const keyed = (host) => new Map([...host.querySelectorAll("details[data-key]")].map((d) => [d.dataset.key, d]));
  function put(id, ...children) {
    const host = $(id), before = keyed(host);
    const focused = host.contains(document.activeElement) ? document.activeElement.closest("details[data-key]") : null;
    host.replaceChildren(...children.flat().filter(Boolean));
    for (const [key, details] of keyed(host)) {
      if (before.has(key)) details.open = before.get(key).open;
      if (focused && focused.dataset.key === key) details.querySelector("summary").focus({ preventScroll: true });
    }
  }

  const state = { status: null, alerts: new Map(), handsets: [], posture: [], calls: new Map(), live: false, skew: 0 };
  const now = () => Date.now() + state.skew;
  const time = (text) => (text ? Date.parse(text) : NaN);
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const hourAndMinute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const dayAndClock = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const regionNames = typeof Intl.DisplayNames === "function" ? new Intl.DisplayNames(undefined, { type: "region" }) : null;

  function when(text) {
    const at = time(text);
    if (Number.isNaN(at)) return "never";
    return el("time", { datetime: text, title: text }, Math.abs(now() - at) < 12 * HOUR ? clock.format(at) : dayAndClock.format(at));
  }
  function ago(text) {
    const at = time(text);
    if (Number.isNaN(at)) return "never";
    const s = Math.max(0, Math.round((now() - at) / 1000));
    if (s < 90) return `${s} s ago`;
    if (s < 5400) return `${Math.round(s / 60)} min ago`;
    if (s < 129600) return `${Math.round(s / 3600)} h ago`;
    return `${Math.round(s / 86400)} days ago`;
  }
  function money(amount, currency) {
    const digits = Math.abs(amount) < 100 ? 2 : 0;
    return `${currency} ${amount.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
  }
  function country(code) {
    if (code === "001") return "satellite and international networks";
    try { return (regionNames && regionNames.of(code)) || code; } catch { return code; }
  }
  const plural = (n, one, many) => `${n.toLocaleString()} ${n === 1 ? one : many}`;

  // ---- now: open incidents, or why there is nothing to see
  const SEVERITIES = ["critical", "warning", "info"];
  const WORDS = { critical: "Critical: act now", warning: "Warning: look today", info: "For your information" };
  const wordOf = (a) => (a.severity === "critical" && a.calls > 0 ? "Critical: money is being lost" : WORDS[a.severity] || a.severity);
  const words = (label) => String(label).replaceAll("_", " ").replace(/\bsip\b/, "SIP");

  function openAlerts() {
    return [...state.alerts.values()]
      .filter((a) => a.state !== "cleared")
      .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || time(b.time) - time(a.time));
  }
  const whoOf = (a) => a.name || a.handset || a.user || a.ip || "the office";

  // By the label of what speaks: the steps for a handset, those for the whole office.
  const ADVICE = @@ADVICE@@;
  function steps(a) {
    const handset = a.handset || a.user, [ofHandset, ofOffice] = ADVICE[a.rule] || [[], []];
    const place = [a.ip, a.mac].filter(Boolean).join(", ");
    const names = { handset, account: a.user || handset, place: place ? ` (${place})` : "", id: a.id,
      where: a.regions && a.regions.length ? a.regions.map(country).join(", ") : "the numbers" };
    return (handset ? ofHandset : ofOffice).map((step) => step.replace(/\{(\w+)\}/g, (_, name) => names[name]));
  }

  function incident(a) {
    const exposure = a.exposure || {};
    const perHour = (a.evidence && Number(a.evidence.per_hour)) || 0;
    const amount = el("span", { class: "money", "data-amount": exposure.amount || 0, "data-rate": perHour, "data-since": a.time, "data-currency": exposure.currency || "" });
    const range = `${money(exposure.low || 0, exposure.currency)} to ${money(exposure.high || 0, exposure.currency)}`;
    const basis = exposure.basis || "price table";
    const cost = !exposure.currency || !(a.calls > 0) ? null : perHour > 0
      ? `by now, if it goes on at ${money(perHour, exposure.currency)} an hour; for the calls so far ${money(exposure.amount || 0, exposure.currency)} (${range}) by the ${basis}`
      : `so far; ${range} by the ${basis}`;
    const facts = [
      [a.handset || a.user ? "Handset" : "Who", [el("strong", {}, whoOf(a)), [a.handset !== whoOf(a) && a.handset, a.ip, a.mac].filter(Boolean).map((t) => [" ", el("span", { class: "muted nobreak" }, t)])]],
      ["Calls", a.calls > 0 ? `${plural(a.calls, "call", "calls")} to ${plural(a.numbers || 0, "number", "numbers")}` : null],
      ["Where to", a.regions && a.regions.length ? a.regions.map(country).join(", ") : null],
      [time(a.last_call) - time(a.first_call) >= 1000 ? "First and last call" : a.calls > 0 ? "Last call" : "Since", time(a.last_call) - time(a.first_call) >= 1000 ? [when(a.first_call), " to ", when(a.last_call)] : when(a.first_call || a.since || a.time)],
      ["Rule", words(a.rule)],
      ["Accepted", a.accepted_until ? ["until ", when(a.accepted_until)] : null],
    ];
    const urgent = a.severity !== "info", todo = steps(a);
    return el("article", { class: `card incident s-${a.severity}`, "aria-label": `${a.severity}: ${whoOf(a)}` },
      el("h3", {}, el("span", { class: `pill ${a.severity}` }, wordOf(a)), " ", el("span", { class: "muted since" }, "raised ", when(a.since || a.time))),
      el("p", { class: "sentence" }, a.sentence),
      cost ? el("p", { class: "cost" }, amount, " ", el("span", { class: "muted" }, cost)) : null,
      urgent && todo.length ? el("div", { class: "todo" }, el("h4", {}, "What to do now"), todo.length > 1 ? el("ol", {}, todo.map((s) => el("li", {}, s))) : el("p", {}, todo[0])) : null,
      a.reasons && a.reasons.length ? [el("h4", {}, "Why"), el("ul", {}, a.reasons.map((r) => el("li", {}, r)))] : null,
      el("dl", { class: "facts" }, facts.filter(([, v]) => v).map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, [v].flat(3))))),
      el("details", { "data-key": `evidence ${a.id}` }, el("summary", {}, "Evidence"),
        el("ul", {}, Object.entries(a.evidence || {}).map(([k, v]) => el("li", {}, `${words(k)}: ${typeof v === "object" ? JSON.stringify(v) : v}`))),
        a.call_ids && a.call_ids.length ? [el("p", {}, "Call-IDs, the deciding one last:"), el("ul", {}, a.call_ids.map((c) => el("li", {}, el("code", {}, c))))] : null));
  }

  // No packet for so long means that the mirror is gone: silence is worth nothing then.
  const STALE = 5 * 60e3;
  const blindNow = () => !state.status || !state.status.last_packet || now() - time(state.status.last_packet) > STALE;

  function blindCard() {
    const s = state.status || {};
    return el("div", { class: "card quiet" }, el("div", { class: "tick doubt", "aria-hidden": "true" }, "?"),
      el("div", {}, el("h3", {}, s.last_packet ? "The mirror port has gone silent" : "Waiting for the first packet"),
        el("p", {}, s.last_packet ? `The last packet came ${ago(s.last_packet)}. Until there are new ones, nothing is known of the office: fraud would not be seen.` : "Nothing has come from the mirror port yet, so nothing is known of the office. Calls and handsets appear here as soon as they are seen."),
        el("p", {}, "If it stays like this: is the switch's mirror session on, with both directions, to the port that this machine listens on? ", el("code", {}, "ringfence doctor -i IFACE"), " says what arrives.")));
  }

  // Days after which most of what is usual is known.
  const LEARNT = 7;
  function quiet() {
    const s = state.status || {};
    const calls = dayCalls();
    const abroad = calls.filter((c) => ["overseas", "global", "suspect"].includes(c.class)).length;
    const lines = [
      calls.length ? `${plural(calls.length, "call", "calls")} in the last 24 hours, ${abroad === 0 ? "none of them" : `${abroad.toLocaleString()} of them`} abroad; nothing that needs somebody.` : "No call was seen in the last 24 hours.",
      `${plural(state.handsets.filter((h) => h.state === "registered").length, "handset is", "handsets are")} registered.`,
      s.watched_days > 0 && s.watched_days < LEARNT ? `Day ${s.watched_days}: what is usual here is still being learnt. Costly calls are judged from the first day.` : null,
      s.last_packet ? `The mirror port showed its last packet ${ago(s.last_packet)}.` : "The mirror port has shown no packet yet.",
    ];
    const blind = s.warnings || [];
    return el("div", { class: "card quiet" }, el("div", { class: "tick", "aria-hidden": "true" }, "✓"),
      el("div", {}, el("h3", {}, "Nothing is wrong that can be seen from here"), el("ul", {}, lines.filter(Boolean).map((l) => el("li", {}, l))),
        blind.length ? el("p", {}, "Not everything can be seen: ", el("a", { href: "#coverage" }, `${plural(blind.length, "thing", "things")} to know`), ".") : null));
  }

  function showNow() {
    const open = openAlerts(), urgent = open.filter((a) => a.severity !== "info");
    const notices = open.filter((a) => a.severity === "info");
    const pill = $("pill");
    if (!state.status) { pill.className = "pill wait"; pill.textContent = "connecting"; return; }
    const blind = blindNow();
    pill.className = `pill ${!state.live ? "warning" : urgent.length ? urgent[0].severity : blind ? "warning" : "ok"}`;
    pill.textContent = !state.live ? "no connection to Ringfence" : urgent.length ? plural(urgent.length, "open incident", "open incidents") : blind ? "seeing nothing" : "all quiet";
    document.title = urgent.length ? `(${urgent.length}) Ringfence` : "Ringfence";
    put("incidents", blind ? blindCard() : urgent.length ? null : quiet(), urgent.map(incident),
      notices.length ? el("details", { class: "card", "data-key": "notices" }, el("summary", {}, plural(notices.length, "notice that pages nobody", "notices that page nobody")), notices.map(incident)) : null);
    tick();
  }

  // Money goes on while calls are up: the hand between two updates is the rate that Ringfence gave.
  function tick() {
    for (const node of document.querySelectorAll(".money")) {
      const d = node.dataset;
      const passed = Math.min(Math.max(0, now() - time(d.since)), 2 * 60e3);
      node.textContent = money(Number(d.amount) + (Number(d.rate) * passed) / HOUR, d.currency);
    }
    const s = state.status;
    $("heartbeat").textContent = s && s.last_packet ? `last packet ${ago(s.last_packet)}` : "";
  }

  // ---- calls by hour and class
  const CLASSES = ["internal", "national", "overseas", "global", "suspect", "other"];
  function dayCalls() {
    const since = now() - DAY;
    return [...state.calls.values()].filter((c) => c.leg !== "trunk" && time(c.started || c.time) >= since);
  }
  const classOf = (c) => (CLASSES.includes(c.class) ? c.class : "other");

  function showChart() {
    const width = Math.max(300, Math.min(1100, $("chart").clientWidth - 32)), slots = 48, step = DAY / slots;
    const end = Math.ceil(now() / step) * step, start = end - DAY;
    const marks = openAlerts().filter((a) => a.severity !== "info" && time(a.since || a.time) > start).slice(0, 6);
    const left = 36, bottom = 22, top = 10 + marks.length * 14, height = 180 + top, every = width < 600 ? 6 : 3;
    const rows = Array.from({ length: slots }, () => new Map());
    for (const c of dayCalls()) {
      const i = Math.min(slots - 1, Math.max(0, Math.floor((time(c.started || c.time) - start) / step)));
      rows[i].set(classOf(c), (rows[i].get(classOf(c)) || 0) + 1);
    }
    const total = (r) => [...r.values()].reduce((a, b) => a + b, 0);
    const most = Math.max(4, ...rows.map(total));
    const y = (n) => height - bottom - (n / most) * (height - bottom - top);
    const bar = (width - left) / slots;
    const parts = [];
    for (const n of [0, Math.round(most / 2), most]) {
      parts.push(draw("line", { class: "grid", x1: left, x2: width, y1: y(n), y2: y(n) }), draw("text", { x: left - 6, y: y(n) + 4, "text-anchor": "end" }, n));
    }
    rows.forEach((row, i) => {
      let base = 0;
      CLASSES.forEach((k, c) => {
        const n = row.get(k) || 0;
        if (!n) return;
        parts.push(draw("rect", { class: `k${c + 1}`, x: left + i * bar + 1, width: Math.max(1, bar - 2), y: y(base + n), height: y(base) - y(base + n) }));
        base += n;
      });
      const at = new Date(start + i * step);
      if (at.getMinutes() === 0 && at.getHours() % every === 0) parts.push(draw("text", { x: left + i * bar, y: height - 6, "text-anchor": i < 2 ? "start" : "middle" }, hourAndMinute.format(at)));
    });
    marks.forEach((a, n) => {
      const x = left + ((time(a.since || a.time) - start) / DAY) * (width - left), late = x > width / 2;
      parts.push(draw("line", { class: "mark", x1: x, x2: x, y1: 4 + n * 14, y2: height - bottom }), draw("text", { class: "flag", x: late ? x - 5 : x + 5, y: 13 + n * 14, "text-anchor": late ? "end" : "start" }, `${words(a.rule)}: ${whoOf(a)}`));
    });
    const used = CLASSES.filter((k) => rows.some((r) => r.get(k)));
    const label = `Calls by half hour: ${used.map((k) => `${rows.reduce((n, r) => n + (r.get(k) || 0), 0)} ${k}`).join(", ") || "none"}${marks.length ? `; ${plural(marks.length, "incident", "incidents")} marked` : ""}`;
    $("chart-table").parentElement.hidden = !used.length;
    if (!used.length) { put("chart", el("p", { class: "empty" }, "No call in the last 24 hours.")); put("chart-table", el("p", {}, "No calls.")); return; }
    put("chart", draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, parts),
      el("ul", { class: "legend" }, used.map((k) => el("li", {}, draw("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, draw("rect", { class: `k${CLASSES.indexOf(k) + 1}`, width: 10, height: 10 })), k))));
    const hours = [];
    for (let i = 0; i < slots; i += 2) {
      const of = (k) => (rows[i].get(k) || 0) + (rows[i + 1].get(k) || 0);
      if (total(rows[i]) + total(rows[i + 1])) hours.push(el("tr", {}, el("th", { scope: "row" }, hourAndMinute.format(start + i * step)), used.map((k) => el("td", { class: "n" }, of(k)))));
    }
    put("chart-table", hours.length ? el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "From"), used.map((k) => el("th", { scope: "col", class: "n" }, k)))), el("tbody", {}, hours)) : el("p", {}, "No calls."));
  }

  // ---- handsets
  function sparkline(calls) {
    const n = Array(24).fill(0), start = now() - DAY;
    for (const c of calls) n[Math.min(23, Math.max(0, Math.floor((time(c.started || c.time) - start) / HOUR)))] += 1;
    const most = Math.max(1, ...n);
    return draw("svg", { class: "spark", viewBox: "0 0 96 20", preserveAspectRatio: "none", role: "img", "aria-label": plural(calls.length, "call in 24 hours", "calls in 24 hours") },
      n.map((v, i) => (v ? draw("rect", { x: i * 4, width: 3, y: 20 - (v / most) * 19, height: (v / most) * 19 }) : null)));
  }
  function showHandsets() {
    const alerting = new Set(openAlerts().filter((a) => a.severity !== "info").map((a) => a.handset));
    const rank = (h) => (alerting.has(h.handset) ? 0 : h.state === "registered" ? 1 : 2);
    const rows = [...state.handsets].sort((a, b) => rank(a) - rank(b) || String(a.handset).localeCompare(String(b.handset), undefined, { numeric: true }));
    const shown = rows.slice(0, 200);
    const by = new Map();
    for (const c of dayCalls()) { if (!by.has(c.handset)) by.set(c.handset, []); by.get(c.handset).push(c); }
    $("handset-note").textContent = rows.length > shown.length ? `The first ${shown.length} of ${rows.length.toLocaleString()}; all of them are at /api/v1/handsets.` : "";
    // Calls are heard of at once, the inventory is asked now and then.
    const lastCall = (h) => (by.get(h.handset) || []).map((c) => c.started || c.time).concat(h.last_call || []).sort((a, b) => time(a) - time(b)).pop();
    // Narrow screens lay rows out as cards, which takes their meaning away: so it is said.
    const td = (name, ...children) => el("td", { role: "cell", "data-name": name }, ...children);
    const cell = (h) => [
      el("th", { scope: "row", role: "rowheader" }, h.handset, h.name ? el("div", { class: "muted" }, h.name) : null),
      td("State", alerting.has(h.handset) ? el("span", { class: "pill critical" }, "alert") : h.state || ""),
      td("Make and firmware", [h.vendor, h.model].filter(Boolean).join(" ") || el("span", { class: "muted" }, "make unknown"), h.firmware ? el("div", { class: "muted" }, h.firmware) : null),
      td("Address", h.ip || "", h.mac ? el("div", { class: "muted" }, h.mac) : null),
      td("Last call", lastCall(h) ? ago(lastCall(h)) : el("span", { class: "muted" }, "no call seen")),
      td("Last 24 hours", sparkline(by.get(h.handset) || [])),
    ];
    put("handset-table", shown.length
      ? el("table", { role: "table", class: "cards" }, el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ["Handset", "State", "Make and firmware", "Address", "Last call", "Last 24 hours"].map((t) => el("th", { scope: "col", role: "columnheader" }, t)))), el("tbody", { role: "rowgroup" }, shown.map((h) => el("tr", { role: "row" }, cell(h)))))
      : el("p", { class: "empty" }, "No handset has registered or placed a call yet. They appear here by themselves."));
  }

  // ---- the checklist
  const GROUPS = [
    ["Router and firewall", ["unsolicited_inbound", "stranger_sip", "opened_port"]],
    ["Back doors", ["backdoor_inbound", "backdoor_outbound"]],
    ["Passwords", ["digest_leak", "default_sip_password", "default_web_password", "weak_auth"]],
    ["Interfaces and provisioning", ["exposed_interface", "clear_provisioning"]],
    ["Firmware", ["outdated_firmware"]],
    ["Unused handsets", ["idle_handset", "unregistered_handset", "lapsed_registration"]],
    ["Intrusion", ["scanner", "brute_force", "enumeration", "new_device"]],
  ];
  const STATES = { finding: ["✗", "finding"], pass: ["✓", "pass"], not_seen: ["–", "not seen"], cannot_see: ["?", "cannot see"] };
  const ORDER = ["finding", "cannot_see", "not_seen", "pass"];

  function standing(name) {
    const records = state.posture.filter((p) => p.check === name);
    const status = ORDER.find((s) => records.some((r) => r.status === s));
    return status ? { names: [name], status, rows: records.filter((r) => r.status === status) } : null;
  }
  // What isn't known for one and the same reason is said once.
  function joined(all) {
    const rows = [];
    for (const one of all) {
      const same = rows.find((r) => one.status !== "finding" && r.status === one.status && r.rows[0].sentence === one.rows[0].sentence);
      if (same) same.names.push(...one.names); else rows.push(one);
    }
    return rows;
  }
  function check({ names, status, rows }) {
    const [sign, word] = STATES[status];
    const level = status === "finding" ? (rows.some((r) => r.severity === "critical") ? "critical" : rows.some((r) => r.severity === "warning") ? "warning" : "info") : status === "pass" ? "ok" : status === "not_seen" ? "unseen" : "blind";
    const advice = rows.map((r) => r.advice).find(Boolean);
    return el("div", { class: "check" },
      el("div", {}, el("span", { class: `pill ${level}` }, el("span", { "aria-hidden": "true" }, `${sign} `), word)),
      el("div", {}, el("h4", {}, names.map(words).join(", ")),
        el("p", { class: "said" }, rows[0].sentence),
        rows.length > 1 && names.length === 1 ? el("details", { "data-key": names[0] }, el("summary", {}, `and ${(rows.length - 1).toLocaleString()} more`), el("ul", {}, rows.slice(1, 50).map((r) => el("li", { class: "said" }, r.sentence)))) : null,
        status === "finding" && advice ? el("p", { class: "advice" }, el("strong", {}, "To do: "), advice) : null));
  }
  // "19 checks: 3 findings, 2 pass, ..."
  function tallied() {
    const names = [...new Set(state.posture.map((p) => p.check))];
    const of = (s) => names.filter((n) => standing(n).status === s).length;
    const found = of("finding");
    return `${plural(names.length, "check", "checks")}: ${found === 0 ? "no finding" : `${found} with findings`}, ${of("pass")} pass, ${of("not_seen")} not seen, ${of("cannot_see")} cannot be seen from here.`;
  }
  function showChecks() {
    const groups = GROUPS.map(([title, names]) => [title, joined(names.map(standing).filter(Boolean)).map(check)]).filter(([, rows]) => rows.length);
    $("check-note").textContent = groups.length ? tallied() : "";
    put("checks", groups.length ? groups.map(([title, rows]) => el("div", { class: "card" }, el("h3", {}, title), rows)) : [el("p", { class: "card empty" }, "The checklist fills in once there is traffic to judge.")]);
  }

  // ---- coverage
  function showCoverage() {
    const s = state.status;
    if (!s) return;
    const warnings = s.warnings || [];
    const always = "Calls that are placed with stolen passwords from outside, straight to a PBX in the cloud, never cross this switch.";
    put("blind", el("ul", {}, [...warnings, always].map((w) => el("li", { class: "said" }, w))));
    $("site").textContent = s.site || "";
    $("version").textContent = [s.version && `Ringfence ${s.version}`, s.started && `running since ${dayAndClock.format(time(s.started))}`].filter(Boolean).join(", ");
  }

  const SHOW = { now: showNow, chart: showChart, handsets: showHandsets, checks: showChecks, coverage: showCoverage };
  const dirty = new Set(Object.keys(SHOW));
  let pending = false;
  function change(...parts) {
    parts.forEach((p) => dirty.add(p));
    if (pending) return;
    pending = true;
    setTimeout(() => { pending = false; const todo = [...dirty]; dirty.clear(); todo.forEach((p) => SHOW[p]()); }, 150);
  }

  // ---- talking to Ringfence
  async function get(path) {
    const answer = await fetch(path, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    const body = await answer.json();
    return Array.isArray(body) ? body : body.items || body;
  }
  function takeCall(c) {
    const key = `${c.id}/${c.leg}`;
    const known = state.calls.get(key);
    state.calls.set(key, { ...c, started: (known && known.started) || c.started || c.time });
    if (state.calls.size > 20000) state.calls.delete(state.calls.keys().next().value);
  }
  function takeStatus(s) {
    const seen = (s.sources || []).flatMap((source) => Object.values(source.last_packet || {})).map(time).filter(Number.isFinite);
    state.status = { ...s, last_packet: seen.length ? new Date(Math.max(...seen)).toISOString() : null };
    // The office's clock counts, not that of the machine that looks.
    if (s.time) state.skew = time(s.time) - Date.now();
  }
  async function load() {
    const since = new Date(Date.now() - DAY).toISOString();
    const [status, alerts, handsets, posture, calls] = await Promise.all([
      get("/api/v1/status"), get("/api/v1/alerts"), get("/api/v1/handsets"), get("/api/v1/posture"), get(`/api/v1/calls?since=${encodeURIComponent(since)}&limit=5000`)]);
    takeStatus(status);
    state.alerts = new Map(alerts.map((a) => [a.id, a]));
    state.handsets = handsets;
    state.posture = posture;
    calls.forEach(takeCall);
    change(...Object.keys(SHOW));
  }
  function heard(record) {
    if (record.type === "alert") {
      const known = state.alerts.get(record.id);
      state.alerts.set(record.id, record);
      if (record.severity !== "info" && (!known || record.state === "cleared")) {
        $("announce").textContent = `${record.state === "cleared" ? "Cleared" : "New incident"}: ${record.sentence}`;
      }
      change("now", "chart", "handsets");
    } else if (record.type === "call") {
      takeCall(record);
      change("chart", "handsets");
      if (!openAlerts().some((a) => a.severity !== "info")) change("now");
    } else if (record.type === "finding") {
      state.posture = state.posture.filter((p) => !(p.check === record.check && p.handset === record.handset)).concat(record);
      change("checks");
    } else if (record.type === "status") {
      takeStatus(record);
      change("coverage");
      showNowIfQuiet();
      if (record.handsets !== state.handsets.length) get("/api/v1/handsets").then((h) => { state.handsets = h; change("handsets", "now"); }).catch(lost);
    }
  }
  function showNowIfQuiet() {
    if (!openAlerts().some((a) => a.severity !== "info")) change("now"); else tick();
  }
  // The browser connects again by itself, but not after an answer that is none, as a proxy gives it
  // while Ringfence starts anew.
  const AGAIN = 3000;
  function listen() {
    const source = new EventSource("/api/v1/events");
    source.onopen = () => { load().then(() => { state.live = true; change("now"); }).catch(lost); };
    source.onerror = () => { lost(); if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN); };
    const take = (event) => { try { heard(JSON.parse(event.data)); } catch { /* a record cut off by a restart */ } };
    source.onmessage = take;
    for (const type of ["alert", "call", "finding", "status"]) source.addEventListener(type, take);
  }
  function lost() { state.live = false; change("now"); }

  window.addEventListener("resize", () => change("chart"));
  load().then(() => { state.live = true; change("now"); }).catch(lost);
  listen();
  setInterval(tick, 1000);
  setInterval(() => { if (state.live) Promise.all([get("/api/v1/status").then(takeStatus), get("/api/v1/handsets").then((h) => { state.handsets = h; }), get("/api/v1/posture").then((p) => { state.posture = p; })]).then(() => change(...Object.keys(SHOW))).catch(lost); }, 30000);
})();
