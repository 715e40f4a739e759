import { UserError } from "../../common/errors.ts";

/** One image in a virtio-mmio slot. */
export interface QemuDisk {
	readonly file: string;
	/** What the guest writes goes back to the file at the end. */
	readonly writesBack: boolean;
}

export interface QemuNetwork {
	/** `hostfwd`: UDP ports of the host, and those of the guest that they lead to. */
	readonly forwards: readonly { readonly hostPort: number; readonly guestPort: number }[];
	/** `filter-dump`: every packet into this file. */
	readonly pcap: string | undefined;
	/** `-net host-udp`: 10.0.2.2 is this host's loopback address; otherwise nothing of the host is reached. */
	readonly hostUdp: boolean;
}

/** A machine as `qemu-system-riscv64`'s arguments describe it. */
export interface QemuConfig {
	/** Firmware that starts in machine mode; undefined: the kernel does. */
	readonly bios: string | undefined;
	/** An ELF file; with firmware also a raw image, or nothing. */
	readonly kernel: string | undefined;
	/** An initial RAM disk, and the command line of the kernel: in the device tree. */
	readonly initrd: string | undefined;
	readonly append: string | undefined;
	/** Disks by virtio-mmio slot. */
	readonly disks: readonly [QemuDisk | undefined, QemuDisk | undefined];
	/** Undefined: QEMU's default. */
	readonly harts: number | undefined;
	readonly memoryBytes: number | undefined;
	readonly virtio: "modern" | "legacy";
	/** Port of the gdb stub on the loopback address; undefined: none. */
	readonly gdbPort: number | undefined;
	/** `-S`: stands at the first instruction. */
	readonly stopped: boolean;
	/** What standard input and output are: serial line with the monitor on Ctrl-A C, the serial line alone, or the monitor alone. */
	readonly stdio: "mux" | "serial" | "monitor";
	/** A network card, if there is one. */
	readonly network: QemuNetwork | undefined;
	/** `-d`: what is logged, to `logFile` or standard error. */
	readonly log: ReadonlySet<"int" | "guest_errors">;
	readonly logFile: string | undefined;
}

interface Option {
	/** Name of its value in the help; undefined: it has none. */
	readonly value?: string;
	readonly does: string;
}

/** What xv6's Makefiles give, of all years. The lines of `-help` come from here; Makefiles look for one that begins with `-gdb`. */
const options: Readonly<Record<string, Option>> = {
	help: { does: "this help" },
	version: { does: "the version of QEMU that this command stands for" },
	machine: { value: "virt", does: "the only machine" },
	M: { value: "virt", does: "the same" },
	cpu: { value: "rv64", does: "the only CPU" },
	accel: { value: "tcg", does: "accepted; there is no other" },
	smp: { value: "[cpus=]n", does: "harts, 1 to 8" },
	m: { value: "[size=]megs", does: "memory; K, M and G are units, at most 1G" },
	bios: { value: "none|file", does: "none: the kernel starts in machine mode; file: firmware does, such as OpenSBI" },
	kernel: { value: "file", does: "kernel, an ELF file" },
	initrd: { value: "file", does: "initial RAM disk" },
	append: { value: "text", does: "command line of the kernel" },
	drive: {
		value: "file=file,if=none,format=raw,id=id",
		does: "a disk image for -device; also readonly=on, snapshot=on",
	},
	device: {
		value: "virtio-blk-device,drive=id[,bus=virtio-mmio-bus.0]|e1000,netdev=id[,bus=pcie.0]",
		does: "a disk, a network card",
	},
	netdev: {
		value: "user,id=id[,hostfwd=udp::port-:port]",
		does: "a network for -device; it is inside of this program",
	},
	object: { value: "filter-dump,id=id,netdev=id,file=file", does: "the network's packets, into a pcap file" },
	net: {
		value: "host-udp",
		does: "not QEMU's: UDP to 10.0.2.2 and hostfwd reach the loopback address of this computer",
	},
	global: { value: "virtio-mmio.force-legacy=on|off", does: "on (the default): virtio version 1; off: version 2" },
	snapshot: { does: "the guest's writes are not kept" },
	nographic: { does: "serial line and monitor on standard input and output" },
	display: { value: "none", does: "accepted; there is no other" },
	serial: { value: "stdio|mon:stdio|none", does: "the serial line" },
	monitor: { value: "stdio|none", does: "the monitor" },
	S: { does: "freeze the machine at its first instruction (use 'c' in the monitor, or gdb, to start it)" },
	gdb: { value: "tcp::port", does: "accept gdb connection on this port, of the loopback address" },
	s: { does: "shorthand for -gdb tcp::1234" },
	p: { value: "port", does: "with -s: another port" },
	d: { value: "int,guest_errors", does: "log traps, and mistakes of the guest's drivers" },
	D: { value: "file", does: "the log goes to this file" },
	icount: { value: "any", does: "accepted: guest time is always counted in instructions" },
};

/** `-help`. */
export function qemuHelp(): string {
	const rows = Object.entries(options).map(([name, { value, does }]) => {
		const left = value === undefined ? `-${name}` : `-${name} ${value}`;
		return left.length < 16 ? `${left.padEnd(16)}${does}` : `${left}\n${" ".repeat(16)}${does}`;
	});
	return `usage: xv6-lab qemu [options]

Takes the arguments that xv6's Makefiles give to qemu-system-riscv64: make qemu QEMU="xv6-lab qemu"

${rows.join("\n")}

During emulation, the following keys are useful with -nographic:
Ctrl-A H        list of keys
Ctrl-A X        exit
Ctrl-A C        switch between serial line and monitor
`;
}

const mib = 1024 * 1024;
const mostMemory = 1024 * mib;

const bad = (what: string, next = "'xv6-lab qemu -help' lists what is supported.") =>
	new UserError("usage", what, next);

/** `key=value` parts of an argument; a part without `=` is the first one's name, or a switch that is on. */
class Parts {
	readonly first: string;
	private readonly values = new Map<string, string>();
	/** Keys that stand more than once. */
	private readonly repeated: { readonly key: string; readonly value: string }[] = [];

	constructor(
		private readonly option: string,
		text: string,
		implied?: string,
	) {
		const parts = text.split(",");
		const head = parts[0] as string;
		this.first = head.includes("=") ? "" : head;
		for (const part of this.first === "" ? parts : parts.slice(1)) {
			const at = part.indexOf("=");
			const key = at < 0 ? part : part.slice(0, at);
			const value = at < 0 ? "on" : part.slice(at + 1);
			this.values.set(key, value);
			this.repeated.push({ key, value });
		}
		if (this.first === "" && implied !== undefined) this.first = this.take(implied) ?? "";
	}

	take(key: string): string | undefined {
		const value = this.values.get(key);
		this.values.delete(key);
		return value;
	}

	/** Every value of a key that may stand more than once. */
	all(name: string): readonly string[] {
		this.values.delete(name);
		return this.repeated.filter(({ key }) => key === name).map(({ value }) => value);
	}

	/** On or off. */
	flag(key: string): boolean {
		const value = this.take(key) ?? "off";
		if (!["on", "off", "true", "false", "yes", "no"].includes(value)) {
			throw bad(`-${this.option}: ${key}=${value} is neither on nor off`);
		}
		return ["on", "true", "yes"].includes(value);
	}

	/** Nothing may be left: what is not understood is not ignored. */
	end(): void {
		const [key] = this.values.keys();
		if (key !== undefined) throw bad(`-${this.option}: '${key}' is not supported`);
	}
}

function number(option: string, text: string, low: number, high: number): number {
	const value = Number(text);
	if (/^\d+$/.test(text) && value >= low && value <= high) return value;
	throw bad(`-${option} ${text}: a whole number from ${low} to ${high} is needed`);
}

function memory(text: string): number {
	const match = /^(?:size=)?(\d+)([KMG]?)B?$/i.exec(text);
	if (!match) throw bad(`-m ${text}: this is not a size`, "Write for example -m 128M.");
	const unit = { K: 1024, M: mib, G: 1024 * mib }[(match[2] || "M").toUpperCase()] ?? mib;
	// Old Makefiles ask for 3G that their kernels never touch.
	return Math.min(mostMemory, Number(match[1]) * unit);
}

function gdbPort(text: string): number {
	const match = /^tcp:([^:]*):(\d+)(?:,.*)?$/.exec(text);
	if (!match) throw bad(`-gdb ${text}: only tcp::PORT is supported`);
	if (!["", "localhost", "127.0.0.1", "0.0.0.0"].includes(match[1] as string)) {
		throw bad(`-gdb ${text}: gdb is served on the loopback address only`, "Write -gdb tcp::PORT.");
	}
	return number("gdb", match[2] as string, 0, 65535);
}

/** What was given so far. */
class Given {
	readonly drives = new Map<string, QemuDisk>();
	readonly devices: string[] = [];
	readonly log = new Set<"int" | "guest_errors">();
	readonly netdevs = new Map<string, QemuNetwork["forwards"]>();
	readonly dumps: { readonly netdev: string; readonly file: string }[] = [];
	hostUdp = false;
	bios: string | undefined;
	kernel: string | undefined;
	initrd: string | undefined;
	append: string | undefined;
	harts: number | undefined;
	memoryBytes: number | undefined;
	legacy = true;
	gdb: number | undefined;
	stopped = false;
	snapshot = false;
	serial: string | undefined;
	monitor: string | undefined;
	logFile: string | undefined;
}

type Taker = (given: Given, value: string) => void;

const only =
	(name: string, ...accepted: string[]): Taker =>
	(_, value) => {
		if (!accepted.includes(value)) throw bad(`-${name} ${value}: only ${accepted.join(", ")} is supported`);
	};

const machine: Taker = (_, value) => {
	const parts = new Parts("machine", value, "type");
	if (parts.first !== "virt") throw bad(`-machine ${value}: unsupported machine type`, "The only one is virt.");
	// Has no effect on what xv6 sees.
	parts.take("accel");
	parts.end();
};

const takers: Readonly<Record<string, Taker>> = {
	machine,
	M: machine,
	cpu: only("cpu", "rv64", "max"),
	accel: (_, value) => {
		if (!/^tcg(,|$)/.test(value)) throw bad(`-accel ${value}: only tcg is supported`);
	},
	smp: (given, value) => {
		const parts = new Parts("smp", value, "cpus");
		for (const key of ["maxcpus", "sockets", "dies", "clusters", "cores", "threads"]) parts.take(key);
		parts.end();
		given.harts = number("smp", parts.first, 1, 8);
	},
	m: (given, value) => {
		given.memoryBytes = memory(value);
	},
	bios: (given, value) => {
		if (value === "default") throw bad("-bios default: no firmware is included", "Give its file with -bios FILE.");
		given.bios = value === "none" ? undefined : value;
	},
	kernel: (given, value) => {
		given.kernel = value;
	},
	initrd: (given, value) => {
		given.initrd = value;
	},
	append: (given, value) => {
		given.append = value;
	},
	drive: (given, value) => {
		const parts = new Parts("drive", value);
		const file = parts.take("file");
		const id = parts.take("id");
		if (!file || !id) throw bad(`-drive ${value}: file= and id= are needed`);
		if ((parts.take("if") ?? "none") !== "none") throw bad(`-drive ${value}: only if=none with a -device is supported`);
		if ((parts.take("format") ?? "raw") !== "raw") throw bad(`-drive ${value}: only format=raw is supported`);
		for (const key of ["cache", "aio", "media", "index"]) parts.take(key);
		const readOnly = [parts.flag("readonly"), parts.flag("snapshot")].some(Boolean);
		parts.end();
		given.drives.set(id, { file, writesBack: !readOnly });
	},
	device: (given, value) => {
		given.devices.push(value);
	},
	netdev: (given, value) => {
		const parts = new Parts("netdev", value, "type");
		if (parts.first !== "user") throw bad(`-netdev ${value}: only user is supported`);
		const id = parts.take("id");
		if (id === undefined) throw bad(`-netdev ${value}: id= is needed`);
		const forwards = parts.all("hostfwd").map(forwardOf);
		parts.end();
		given.netdevs.set(id, forwards);
	},
	object: (given, value) => {
		const parts = new Parts("object", value, "qom-type");
		if (parts.first !== "filter-dump") throw bad(`-object ${value}: only filter-dump is supported`);
		parts.take("id");
		const netdev = parts.take("netdev");
		const file = parts.take("file");
		parts.end();
		if (!netdev || !file) throw bad(`-object ${value}: netdev= and file= are needed`);
		given.dumps.push({ netdev, file });
	},
	net: (given, value) => {
		only("net", "host-udp")(given, value);
		given.hostUdp = true;
	},
	global: (given, value) => {
		const match = /^virtio-mmio\.force-legacy=(.+)$/.exec(value);
		if (!match) throw bad(`-global ${value}: only virtio-mmio.force-legacy is supported`);
		given.legacy = new Parts("global", value).flag("virtio-mmio.force-legacy");
	},
	snapshot: (given) => {
		given.snapshot = true;
	},
	nographic: () => undefined,
	display: only("display", "none"),
	serial: (given, value) => {
		only("serial", "stdio", "mon:stdio", "none", "null")(given, value);
		given.serial = value;
	},
	monitor: (given, value) => {
		only("monitor", "stdio", "none", "null")(given, value);
		given.monitor = value;
	},
	S: (given) => {
		given.stopped = true;
	},
	gdb: (given, value) => {
		given.gdb = gdbPort(value);
	},
	s: (given) => {
		given.gdb ??= 1234;
	},
	p: (given, value) => {
		given.gdb = number("p", value, 1, 65535);
	},
	d: (given, value) => {
		for (const item of value.split(",")) {
			if (item !== "int" && item !== "guest_errors") throw bad(`-d ${item}: only int and guest_errors can be logged`);
			given.log.add(item);
		}
	},
	D: (given, value) => {
		given.logFile = value;
	},
	icount: () => undefined,
};

/** Throws UserError `usage`, which names the argument that is not supported. */
export function parseQemuArguments(argv: readonly string[]): QemuConfig {
	const given = new Given();
	for (let i = 0; i < argv.length; i++) {
		const word = argv[i] as string;
		const name = word.replace(/^--?/, "");
		const taker = word.startsWith("-") && Object.hasOwn(takers, name) ? takers[name] : undefined;
		if (!taker)
			throw bad(
				`${word}: ${word.startsWith("-") ? "invalid option" : "a kernel or disk is given by -kernel and -drive"}`,
			);
		const takesValue = options[name]?.value !== undefined;
		if (takesValue && i + 1 >= argv.length) throw bad(`${word}: requires an argument`);
		taker(given, takesValue ? (argv[++i] as string) : "");
	}
	if (given.kernel === undefined && given.bios === undefined)
		throw bad("There is no -kernel", "Write: xv6-lab qemu -machine virt -bios none -kernel kernel/kernel …");
	return {
		bios: given.bios,
		kernel: given.kernel,
		initrd: given.initrd,
		append: given.append,
		...devicesOf(given),
		harts: given.harts,
		memoryBytes: given.memoryBytes,
		virtio: given.legacy ? "legacy" : "modern",
		gdbPort: given.gdb,
		stopped: given.stopped,
		stdio: stdioOf(given),
		log: given.log,
		logFile: given.logFile,
	};
}

function forwardOf(text: string): QemuNetwork["forwards"][number] {
	const match = /^udp:([^:]*):(\d+)-([^:]*):(\d+)$/.exec(text);
	if (!match) throw bad(`hostfwd=${text}: only udp::PORT-:PORT is supported`);
	const port = (digits: string | undefined) => number("netdev hostfwd", digits as string, 1, 65535);
	return { hostPort: port(match[2]), guestPort: port(match[4]) };
}

function devicesOf(given: Given): Pick<QemuConfig, "disks" | "network"> {
	const disks: [QemuDisk | undefined, QemuDisk | undefined] = [undefined, undefined];
	let network: QemuNetwork | undefined;
	for (const text of given.devices) {
		const parts = new Parts("device", text, "driver");
		if (parts.first === "virtio-blk-device") {
			const slot = slotOf(text, parts);
			if (disks[slot]) throw bad(`-device ${text}: virtio-mmio-bus.${slot} is taken already`);
			disks[slot] = diskOf(given, text, parts);
		} else if (parts.first === "e1000") {
			if (network) throw bad(`-device ${text}: there is a network card already`);
			network = networkOf(given, text, parts);
		} else throw bad(`-device ${parts.first}: this device is not supported`);
	}
	return { disks, network };
}

function slotOf(text: string, parts: Parts): 0 | 1 {
	const bus = parts.take("bus") ?? "virtio-mmio-bus.0";
	if (bus === "virtio-mmio-bus.0") return 0;
	if (bus === "virtio-mmio-bus.1") return 1;
	throw bad(`-device ${text}: only bus=virtio-mmio-bus.0 and 1 are supported`);
}

function diskOf(given: Given, text: string, parts: Parts): QemuDisk {
	const id = parts.take("drive") ?? "";
	parts.end();
	const drive = given.drives.get(id);
	if (!drive) throw bad(`-device ${text}: there is no -drive with id=${id}`);
	return { ...drive, writesBack: drive.writesBack && !given.snapshot };
}

function networkOf(given: Given, text: string, parts: Parts): QemuNetwork {
	const bus = parts.take("bus") ?? "pcie.0";
	const id = parts.take("netdev") ?? "";
	parts.end();
	if (bus !== "pcie.0") throw bad(`-device ${text}: only bus=pcie.0 is supported`);
	const forwards = given.netdevs.get(id);
	if (!forwards) throw bad(`-device ${text}: there is no -netdev with id=${id}`);
	const pcap = given.dumps.find(({ netdev }) => netdev === id)?.file;
	return { forwards, pcap, hostUdp: given.hostUdp };
}

function stdioOf({ serial, monitor }: Given): QemuConfig["stdio"] {
	if (serial === "stdio" && monitor === "stdio")
		throw bad("-monitor stdio: standard input and output are the serial line's", "Write -serial mon:stdio for both.");
	if (serial === "none" || serial === "null") return "monitor";
	if (monitor === "stdio") return serial === undefined ? "monitor" : "mux";
	if (serial === "stdio" || monitor === "none" || monitor === "null") return "serial";
	return "mux";
}
