// A few minutes of office life over HEPv3, sped up: registrations, calls at home and abroad, some that
// fail, a flood of premium calls. Argument: the port of Ringfence's HEP listener; seconds it shall last.
import { Office } from "./hep.mjs";

const [port, seconds] = process.argv.slice(2).map(Number);
const office = new Office(port);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const until = Date.now() + seconds * 1000;
const abroad = ["0033142685300", "004930123456", "0012025550123", "0035312345678"];
for (let n = 0; Date.now() < until; n += 1) {
  const user = String(201 + (n % 8)), ip = `10.0.3.${11 + (n % 8)}`;
  await office.register(user, ip);
  await office.call(user, ip, "02079460123", { end: true });
  await office.call(user, ip, abroad[n % abroad.length], { end: n % 3 !== 0, answer: n % 3 !== 1 });
  if (n % 4 === 3) for (const tail of ["1", "2", "3"]) await office.call("202", "10.0.3.12", `0090987901${n % 10}${tail}`, { end: true });
  if (n % 4 === 1) await office.call("203", "10.0.3.13", `0088216123${String(n).padStart(4, "0")}`);
  await pause(150);
}
office.close();
