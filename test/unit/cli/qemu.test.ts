import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseQemuArguments } from "../../../src/cli/qemu/arguments.ts";
import { QemuConsole } from "../../../src/cli/qemu/console.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { assemble } from "../../support/assembler.ts";
import { arpReply, CardProgram, datagram } from "../../support/cardProgram.ts";

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
			disks: [{ file: "fs.img", writesBack: true }, undefined],
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
		expect(parseQemuArguments(words(`${machine} ${disk} -snapshot`)).disks[0]?.writesBack).toBe(false);
		const two = `${disk} ${disk.replace("fs.img", "fs1.img").replaceAll("x0", "x1").replace("bus.0", "bus.1")}`;
		expect(parseQemuArguments(words(`${machine} ${two}`)).disks[1]?.file).toBe("fs1.img");
		const linux = ["-kernel", "Image", "-initrd", "initrd", "-append", "console=ttyS0 quiet"];
		expect(parseQemuArguments(["-bios", "fw.bin", ...linux])).toMatchObject({
			initrd: "initrd",
			append: "console=ttyS0 quiet",
		});
		expect(parseQemuArguments(words(`${machine} -serial mon:stdio -icount shift=3 -d int -D log`))).toMatchObject({
			stdio: "mux",
			log: new Set(["int"]),
			logFile: "log",
		});
	});

	test("of the network labs are understood", () => {
		const net =
			"-netdev user,id=net0,hostfwd=udp::25999-:2000,hostfwd=udp::30999-:2001 -object filter-dump,id=net0,netdev=net0,file=packets.pcap -device e1000,netdev=net0,bus=pcie.0";
		expect(parseQemuArguments(words(`${machine} ${net}`)).network).toEqual({
			forwards: [
				{ hostPort: 25999, guestPort: 2000 },
				{ hostPort: 30999, guestPort: 2001 },
			],
			pcap: "packets.pcap",
			hostUdp: false,
		});
		expect(parseQemuArguments(words(`${machine} -net host-udp ${net}`)).network?.hostUdp).toBe(true);
	});

	test.each([
		["-foo", "-foo: invalid option"],
		["-bios default", "-bios default: no firmware is included"],
		["-dtb board.dtb", "-dtb: invalid option"],
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
		["-netdev tap,id=n", "only user is supported"],
		["-netdev user,id=n,hostfwd=tcp::80-:80", "only udp::PORT-:PORT"],
		["-device e1000,netdev=n9", "there is no -netdev with id=n9"],
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
		expect(err).toMatch(/^qemu-system-riscv64: terminating on signal 15\n/);
		expect(err).toContain("fs.img was changed by another program");
		expect(readFileSync(image).includes("kept\n")).toBe(false);
	});

	test("-net host-udp reaches this computer's loopback address, and every packet is in the capture", async () => {
		const server = createSocket("udp4");
		await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
		server.on("message", (message, { port }) => server.send(`${message} heard`, port, "127.0.0.1"));
		const { port } = server.address();
		const guest = new CardProgram()
			.start()
			.send(0, datagram(port, new TextEncoder().encode("hello")))
			.receive(0, 0);
		guest.send(1, arpReply()).receive(1, 14);
		writeFileSync(join(folder, "kernel"), guest.kernel);
		const process = start(
			"-net host-udp -netdev user,id=net0 -object filter-dump,id=d,netdev=net0,file=packets.pcap -device e1000,netdev=net0,bus=pcie.0",
		);
		try {
			expect(await ended(process), err).toBe(0);
		} finally {
			server.close();
		}
		// The payload begins at byte 42 of the frame, which the guest printed as words after two of its descriptors.
		const words = out
			.trim()
			.split("\n")
			.slice(-14)
			.map((word) => Buffer.from(word, "hex").reverse());
		expect(Buffer.concat(words).toString("latin1", 42, 53)).toBe("hello heard");
		const capture = readFileSync(join(folder, "packets.pcap"));
		expect(capture.readUInt32LE(0)).toBe(0xa1b2c3d4);
		const lengths: number[] = [];
		for (let at = 24; at < capture.length; at += 16 + capture.readUInt32LE(at + 8))
			lengths.push(capture.readUInt32LE(at + 8));
		expect(lengths).toEqual([47, 60, 42, 60]);
	});

	const opensbi = [
		"/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin",
		"/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin",
	].find((file) => existsSync(file));
	if (!opensbi) console.warn("qemu -bios: not run, there is no OpenSBI here");

	test.skipIf(!opensbi)("-bios FILE: firmware hands over to a kernel in supervisor mode", async () => {
		// Prints H by the SBI's console, and powers off by its reset extension.
		const kernel = assemble(
			"li a0, 72\nli a7, 1\necall\nli a7, 0x53525354\nli a6, 0\nli a0, 0\nli a1, 0\necall\n",
			0x80200000n,
		);
		writeFileSync(join(folder, "payload"), kernel.bytes);
		const process = start(`-bios ${opensbi} -kernel payload`);
		expect(await ended(process)).toBe(0);
		expect(out).toMatch(/OpenSBI v\d[\s\S]*H$/);
	});

	test("a start that took longer than graders wait is followed by an empty line, at which they try again", async () => {
		const port = 30_000 + (globalThis.process.pid % 10_000);
		const wait = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200)";
		const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(wait)}`;
		const child = spawn(
			globalThis.process.execPath,
			[cli, "qemu", ...words(machine.replace("kernel/kernel", "kernel")), "-S", "-gdb", `tcp::${port}`],
			{ cwd: folder, env: { ...globalThis.process.env, NODE_OPTIONS } },
		);
		let complaints = "";
		child.stderr.on("data", (text) => {
			complaints += text;
		});
		await until(() => complaints !== "");
		expect(complaints).toBe("\n");
		const connected = await new Promise((resolve) => {
			const socket = connect(port, "127.0.0.1", () => resolve(true));
			socket.on("error", () => resolve(false));
			child.on("exit", () => socket.destroy());
		});
		expect(connected).toBe(true);
		child.kill("SIGTERM");
		await new Promise((resolve) => child.on("exit", resolve));
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
