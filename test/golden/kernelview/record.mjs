// Records the kernels of test/unit/kernelview and what QEMU says about one moment of them. Needs qemu-system-riscv64.
// node test/golden/kernelview/record.mjs TREE-2b TREE-3b
// Each TREE is the teaching kernel with the HW5 starter and its 2b or 3b solution over it, built with `make kernel/kernel fs.img` and
// programs.c split into user/*.c; UPROGS are init sh echo private privleak prodcons1 prodcons2 prodcons3 hold.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const here = import.meta.dirname;
const [without, withTask3b] = process.argv.slice(2);
const pack = (from, name) => writeFileSync(join(here, `${name}.gz`), gzipSync(readFileSync(from), { level: 9 }));
pack(`${without}/kernel/kernel`, "kernel-2b");
pack(`${withTask3b}/kernel/kernel`, "kernel-3b");
pack(`${withTask3b}/fs.img`, "disk");
for (const program of ["private", "privleak", "prodcons1", "prodcons2", "prodcons3", "hold"])
	pack(`${withTask3b}/user/_${program}`, program);

const scratch = mkdtempSync(join(tmpdir(), "kernelview-"));
const socket = join(scratch, "monitor");
const qemu = spawn(
	"qemu-system-riscv64",
	`-machine virt -bios none -kernel ${withTask3b}/kernel/kernel -m 128M -smp 1 -display none -serial stdio -monitor unix:${socket},server,nowait -global virtio-mmio.force-legacy=false -drive file=${withTask3b}/fs.img,if=none,format=raw,id=x0,snapshot=on -device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0`.split(" "),
);
let console_ = "";
qemu.stdout.on("data", (data) => {
	console_ += data;
});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (condition) => {
	while (!condition()) await sleep(50);
};
await until(() => console_.endsWith("$ "));
qemu.stdin.write("hold\n");
await sleep(1500);
const monitor = connect(socket);
let said = "";
monitor.on("data", (data) => {
	said += data;
});
const ask = async (command) => {
	said = "";
	monitor.write(`${command}\n`);
	await until(() => said.endsWith("(qemu) "));
	// The terminal echoes the command with its editing codes.
	return said.replace(/\x1b\[[0-9;]*[A-Z]/g, "").split("\r\n").slice(1, -1).join("\n");
};
await until(() => said.endsWith("(qemu) "));
let registers;
let mappings;
for (;;) {
	await ask("stop");
	registers = await ask("info registers");
	mappings = await ask("info mem");
	if (/satp\s+8/.test(registers) && !mappings.includes("0000000080000000")) break;
	await ask("cont");
	await sleep(37);
}
const samples = [];
for (const address of [0x0, 0x1000, 0x3fffffd000, 0x3fffffb000, 0x3ffffff000]) {
	const text = await ask(`x /2gx 0x${address.toString(16)}`);
	samples.push([`0x${address.toString(16)}`, text]);
}
// Reading through the page table sets A bits.
mappings = await ask("info mem");
const dump = join(scratch, "ram");
await ask(`pmemsave 0x80000000 0x8000000 "${dump}"`);
monitor.write("quit\n");
const ram = readFileSync(dump);
// Free and untouched pages hold one repeated byte behind the pointer of the free list: they compress to nothing.
writeFileSync(join(here, "ram.gz"), gzipSync(ram, { level: 9 }));
writeFileSync(join(here, "qemu.json"), `${JSON.stringify({ registers, mappings, samples }, undefined, "\t")}\n`);
qemu.kill();
process.exit(0);
