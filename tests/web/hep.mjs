// SIP over HEPv3 to a running Ringfence: a small office that registers, calls, and is attacked.
import { createSocket } from "node:dgram";

const u8 = (n) => Buffer.from([n]);
const u16 = (n) => { const b = Buffer.alloc(2); b.writeUInt16BE(n); return b; };
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n >>> 0); return b; };
const ip4 = (ip) => Buffer.from(ip.split(".").map(Number));
const chunk = (type, data) => Buffer.concat([u16(0), u16(type), u16(data.length + 6), data]);

function hep(src, dst, payload) {
  const now = Date.now();
  const body = Buffer.concat([
    chunk(1, u8(2)), chunk(2, u8(17)), chunk(3, ip4(src)), chunk(4, ip4(dst)), chunk(7, u16(5060)), chunk(8, u16(5060)),
    chunk(9, u32(Math.floor(now / 1000))), chunk(10, u32((now % 1000) * 1000)), chunk(11, u8(1)), chunk(12, u32(7)), chunk(15, Buffer.from(payload)),
  ]);
  return Buffer.concat([Buffer.from("HEP3"), u16(body.length + 6), body]);
}

// Debian's Chromium, kept from calling home.
export const LAUNCH = { executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] };

export const PBX = "10.0.3.2";
let serial = 0;
const fresh = () => `${Date.now().toString(36)}${(serial += 1).toString(36)}`;

export class Office {
  constructor(port) { this.port = port; this.socket = createSocket("udp4"); }
  send(src, dst, text) {
    return new Promise((done, fail) => this.socket.send(hep(src, dst, text), this.port, "127.0.0.1", (e) => (e ? fail(e) : done())));
  }
  close() { this.socket.close(); }
  async register(user, ip, agent = "Yealink SIP-T46U 108.86.0.20") {
    const id = fresh(), head = `Via: SIP/2.0/UDP ${ip};branch=z9hG4bK${id}\r\nFrom: <sip:${user}@${PBX}>;tag=r${id}\r\nTo: <sip:${user}@${PBX}>`;
    await this.send(ip, PBX, `REGISTER sip:${PBX} SIP/2.0\r\n${head}\r\nCall-ID: r${id}\r\nCSeq: 1 REGISTER\r\nContact: <sip:${user}@${ip}>\r\nUser-Agent: ${agent}\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n`);
    await this.send(PBX, ip, `SIP/2.0 200 OK\r\n${head};tag=s${id}\r\nCall-ID: r${id}\r\nCSeq: 1 REGISTER\r\nContact: <sip:${user}@${ip}>;expires=3600\r\nContent-Length: 0\r\n\r\n`);
  }
  // `words` replaces what a stranger could write: display name, Call-ID, User-Agent.
  async call(user, ip, number, { name = "", callId = `${fresh()}@${ip}`, agent = "Yealink SIP-T46U 108.86.0.20", answer = true, end = false } = {}) {
    const id = fresh(), head = `Via: SIP/2.0/UDP ${ip};branch=z9hG4bK${id}\r\nFrom: ${name ? `"${name}" ` : ""}<sip:${user}@${PBX}>;tag=f${id}\r\nTo: <sip:${number}@${PBX}>`;
    await this.send(ip, PBX, `INVITE sip:${number}@${PBX} SIP/2.0\r\n${head}\r\nCall-ID: ${callId}\r\nCSeq: 1 INVITE\r\nContact: <sip:${user}@${ip}>\r\nUser-Agent: ${agent}\r\nContent-Length: 0\r\n\r\n`);
    if (!answer) {
      await this.send(PBX, ip, `SIP/2.0 486 Busy Here\r\n${head};tag=t${id}\r\nCall-ID: ${callId}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    for (const [code, word] of [[180, "Ringing"], [200, "OK"]]) {
      await this.send(PBX, ip, `SIP/2.0 ${code} ${word}\r\n${head};tag=t${id}\r\nCall-ID: ${callId}\r\nCSeq: 1 INVITE\r\nContact: <sip:${number}@${PBX}>\r\nContent-Length: 0\r\n\r\n`);
    }
    if (end) await this.send(ip, PBX, `BYE sip:${number}@${PBX} SIP/2.0\r\nVia: SIP/2.0/UDP ${ip};branch=z9hG4bKb${id}\r\nFrom: <sip:${user}@${PBX}>;tag=f${id}\r\nTo: <sip:${number}@${PBX}>;tag=t${id}\r\nCall-ID: ${callId}\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n`);
  }
}
