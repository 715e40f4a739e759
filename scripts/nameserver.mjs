// Network labs ask 8.8.8.8 (or 223.5.5.5) for pdos.csail.mit.edu, through QEMU's user network: this answers there, for a computer without the Internet.
// `unshare -rn node scripts/nameserver.mjs COMMAND…` runs COMMAND in a network namespace where both addresses are this program's.
import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";

const [command, ...args] = process.argv.slice(2);
const answers = { "pdos.csail.mit.edu": [128, 52, 129, 126] };

for (const words of ["link set lo up", "addr add 8.8.8.8/32 dev lo", "addr add 223.5.5.5/32 dev lo"]) {
	const { status } = spawnSync("ip", words.split(" "), { stdio: "inherit" });
	if (status !== 0) process.exit(1);
}

/** RFC 1035 §4: the question again and one A record, or "no such name". */
function answer(query) {
	const labels = [];
	let at = 12;
	for (; query[at]; at += query[at] + 1) labels.push(query.toString("latin1", at + 1, at + 1 + query[at]));
	const address = answers[labels.join(".").toLowerCase()];
	const header = Buffer.from(query.subarray(0, 12));
	header.writeUInt16BE(address ? 0x8180 : 0x8183, 2);
	header.fill(0, 6);
	header[7] = address ? 1 : 0;
	const record = address ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address] : [];
	return Buffer.concat([header, query.subarray(12, at + 5), Buffer.from(record)]);
}

const socket = createSocket("udp4");
socket.on("message", (query, { port, address }) => socket.send(answer(query), port, address));
socket.bind(53, "0.0.0.0", () => {
	const child = spawn(command, args, { stdio: "inherit" });
	child.on("exit", (code) => process.exit(code ?? 1));
});
