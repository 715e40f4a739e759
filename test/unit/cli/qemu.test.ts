import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseQemuArguments } from "../../../src/cli/qemu/arguments.ts";
import { QemuConsole } from "../../../src/cli/qemu/console.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";

const cli = resolve(import.meta.dirname, "../../../dist/cli/xv6-lab.mjs");
const golden = resolve(import.meta.dirname, "../../golden/kernelview");
const words = (text: string) => text.split(" ");

/** The QEMU lines of xv6's and MIT's Makefiles, by age. */
const machine = "-machine virt -bios none -kernel kernel/kernel -m 128M -smp 3 -nographic";
const disk = "-drive file=fs.img,if=none,format=raw,id=x0 -device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0";
const modern = "-global virtio-mmio.force-legacy=false";

describe("arguments", () => {
	test("of every age of xv6's Makefile are understood", () => {
		expect(parseQemuArguments(words(`${machine} ${modern} ${disk} -S -gdb tcp::26000`))).toMatchObject({
			kernel: "kernel/kernel",
			disk: { file: "fs.img", writesBack: true },
			harts: 3,
			memoryBytes: 128 * 1024 * 1024,
			virtio: "modern",
			gdbPort: 26000,
			stopped: true,
			stdio: "mux",
		});
		const old = parseQemuArguments(
			words(`-machine virt -kernel kernel/kernel -m 3G -smp 4 -nographic ${disk} -s -p 25501`),
		);
		expect(old).toMatchObject({ virtio: "legacy", gdbPort: 25501, harts: 4, memoryBytes: 1024 * 1024 * 1024 });
		expect(parseQemuArguments(words(`${machine} ${disk} -s -S`)).gdbPort).toBe(1234);
		expect(parseQemuArguments(words(`${machine} ${disk} -snapshot`)).disk?.writesBack).toBe(false);
		expect(parseQemuArguments(words(`${machine} -serial mon:stdio -icount shift=3 -d int -D log`))).toMatchObject({
			stdio: "mux",
			log: new Set(["int"]),
			logFile: "log",
		});
	});

	test.each([
		["-foo", "-foo: invalid option"],
		["-m", "-m: requires an argument"],
		["-m lots", "-m lots: this is not a size"],
		["-smp 9", "-smp 9"],
		["-machine sifive_u", "unsupported machine type"],
		["-machine virt,aclint=on", "'aclint' is not supported"],
		["-device virtio-gpu-device", "-device virtio-gpu-device: this device is not supported"],
		["-device virtio-blk-device,drive=x9", "there is no -drive with id=x9"],
		["-drive file=fs.img,if=none,id=x0,format=qcow2", "only format=raw"],
		["-global kvm.x=1", "only virtio-mmio.force-legacy"],
		["-gdb tcp:10.0.0.1:26000", "loopback address only"],
		["-d in_asm", "only int and guest_errors"],
		["fs.img", "given by -kernel and -drive"],
	])("%s is named, not ignored", (text, complaint) => {
		expect(() => parseQemuArguments(words(`${machine} ${text}`))).toThrow(complaint);
	});
});

test("the console has QEMU's keys, on a pipe as on a terminal", () => {
	let guest = "";
	let screen = "";
	let quits = 0;
	const console = new QemuConsole(
		{
			send: (bytes) => {
				guest += Buffer.from(bytes).toString("latin1");
			},
			write: (text) => {
				screen += text;
			},
			quit: () => {
				quits++;
			},
			monitor: (line) => `<${line}>`,
		},
		"mux",
	);
	const type = (text: string) => console.receive(Buffer.from(text, "latin1"));
	type("ls\n\x01\x01x");
	expect(guest).toBe("ls\n\x01x");
	type("\x01");
	type("c");
	type("infx\x7fo\rq");
	expect(screen).toContain("(qemu) infx\b \bo\r\n<info>\r\n(qemu) q");
	type("\x01cpwd\n");
	expect(guest).toBe("ls\n\x01xpwd\n");
	type("\x01h");
	expect(screen).toContain("C-a x    exit emulator");
	expect(quits).toBe(0);
	type("\x01x");
	expect(quits).toBe(1);
});

describe("the command", () => {
	let folder = "";
	let child: ChildProcess | undefined;
	let out = "";
	let err = "";

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "xv6-lab qemu-"));
		for (const [from, to] of [
			["kernel-3b", "kernel"],
			["disk", "fs.img"],
		] as const) {
			writeFileSync(join(folder, to), gunzipSync(readFileSync(join(golden, `${from}.gz`))));
		}
	});
	afterEach(() => {
		child?.kill("SIGKILL");
		rmSync(folder, { recursive: true, force: true });
	});

	function start(more: string): ChildProcess {
		const args = words(
			`qemu -machine virt -bios none -kernel kernel -m 128M -smp 3 -nographic ${modern} ${disk} ${more}`,
		);
		out = "";
		err = "";
		child = spawn(process.execPath, [cli, ...args.filter(Boolean)], { cwd: folder });
		child.stdout?.on("data", (bytes) => {
			out += bytes;
		});
		child.stderr?.on("data", (bytes) => {
			err += bytes;
		});
		return child;
	}

	async function until(done: () => boolean): Promise<void> {
		for (let tries = 0; !done(); tries++) {
			if (tries > 600) throw new Error(`it did not come: ${out}${err}`);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}

	const ended = (process: ChildProcess) => new Promise((resolve) => process.on("close", resolve));

	test("answers what Makefiles ask first", () => {
		const ask = (word: string) => spawnSync(process.execPath, [cli, "qemu", word], { encoding: "utf8" });
		expect(ask("-help").stdout).toMatch(/^-gdb /m);
		expect(ask("--version").stdout).toMatch(/^QEMU emulator version 7\.2\.\d+ /);
		expect(ask("-nosuch")).toMatchObject({ status: 1, stderr: expect.stringContaining("-nosuch: invalid option") });
	});

	test("boots, keeps what is typed early, writes the disk back, and ends by Ctrl-A X with 0", async () => {
		const process = start("");
		process.stdin?.write("echo kept > file\n");
		await until(() => out.includes("$ $ "));
		process.stdin?.write("\x01x");
		expect(await ended(process)).toBe(0);
		expect(err).toBe("");
		expect(out).toMatch(/^\nxv6 kernel is booting\n/);
		expect(readFileSync(join(folder, "fs.img")).includes("kept\n")).toBe(true);
	});

	test("SIGTERM writes the disk back, but never over a file that was made in the meantime", async () => {
		const image = join(folder, "fs.img");
		const process = start("");
		process.stdin?.write("echo kept > file\n");
		await until(() => out.includes("$ $ "));
		utimesSync(image, new Date(), new Date(Date.now() + 5000));
		process.kill("SIGTERM");
		expect(await ended(process)).toBe(1);
		expect(err).toContain("terminating on signal 15");
		expect(err).toContain("fs.img was changed by another program");
		expect(readFileSync(image).includes("kept\n")).toBe(false);
	});

	test("a grade script's gdb stops it with two packets, as it stops QEMU", async () => {
		const kernel = readFileSync(join(folder, "kernel"));
		const address = new ProgramSymbols("kernel", kernel).symbol("syscall");
		const port = 20_000 + (globalThis.process.pid % 10_000);
		const process = start(`-S -gdb tcp::${port}`);
		let answer = "";
		const send = (text: string) => {
			let sum = 0;
			for (const letter of text) sum += letter.charCodeAt(0);
			socket.write(`$${text}#${(sum & 255).toString(16).padStart(2, "0")}`);
		};
		let socket = connect(port, "127.0.0.1");
		for (let up = false; !up; ) {
			up = await new Promise((resolve) => {
				socket.on("connect", () => resolve(true));
				socket.on("error", () => resolve(false));
			});
			if (!up) {
				await new Promise((resolve) => setTimeout(resolve, 50));
				socket = connect(port, "127.0.0.1");
			}
		}
		socket.on("data", (bytes) => {
			answer += bytes;
		});
		// Sent at once, before the machine is there; nothing is ever acknowledged.
		send(`Z1,${address?.toString(16)},1`);
		send("c");
		await until(() => /T05thread/.test(answer));
		expect(answer).toMatch(/^(?:\+|\$OK#9a){3}\$T05thread:0[123];#[0-9a-f]{2}$/);
		expect(out).toContain("xv6 kernel is booting");
		process.kill("SIGTERM");
		expect(await ended(process)).toBe(0);
	});
});
