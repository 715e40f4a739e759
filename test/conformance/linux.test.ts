import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { withBoot, withFirmware } from "../../src/cli/firmware.ts";
import { cpio } from "../support/cpio.ts";
import { boot, type Guest } from "../support/guest.ts";

/** Debian's kernel and busybox for riscv64, which its release after "bookworm" has. FULL=1: some 115 MB. */
const firmware = "/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.elf";
const memoryBytes = 512 << 20;
const M = 1_000_000;

const folder = mkdtempSync(join(tmpdir(), "xv6-lab-linux-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** apt's own client, with lists and a cache of its own: nothing of the system's changes. */
function apt(command: string, ...args: string[]): string | undefined {
	const env = { ...process.env, APT_CONFIG: join(folder, "apt.conf") };
	const { status, stdout } = spawnSync(command, args, { cwd: folder, env, timeout: 300_000 });
	return status === 0 ? stdout.toString() : undefined;
}

function fetchLinux(): { readonly kernel: Uint8Array; readonly busybox: Uint8Array } | string {
	if (!existsSync(firmware)) return "QEMU's OpenSBI is not installed";
	if (process.env.FULL !== "1") return "only with FULL=1";
	for (const made of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, made), { recursive: true });
	const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
	// From where the system's own packages come.
	const format = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
	const [archive] = spawnSync("apt-get", format).stdout?.toString().split("\n") ?? [];
	writeFileSync(join(folder, "sources.list"), `deb [arch=riscv64 signed-by=${keys}] ${archive} trixie main\n`);
	const settings = {
		"Dir::Etc::sourcelist": join(folder, "sources.list"),
		"Dir::Etc::sourceparts": "/dev/null",
		"Dir::State::lists": join(folder, "lists"),
		"Dir::Cache": join(folder, "cache"),
		"APT::Architecture": "riscv64",
		"APT::Architectures": "riscv64",
		"APT::Sandbox::User": "root",
	};
	const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
	writeFileSync(join(folder, "apt.conf"), lines.join(""));
	const depends =
		apt("apt-get", "update") === undefined ? undefined : apt("apt-cache", "depends", "linux-image-riscv64");
	const image = /Depends: (linux-image-\S+)/.exec(depends ?? "")?.[1];
	if (!image || apt("apt-get", "download", image, "busybox-static") === undefined) return "apt-get cannot fetch it";
	spawnSync("sh", ["-c", 'for deb in *.deb; do dpkg-deb -x "$deb" .; done'], { cwd: folder });
	const name = readdirSync(join(folder, "boot")).find((file) => file.startsWith("vmlinu"));
	if (name === undefined) return `${image} has no kernel`;
	return { kernel: readFileSync(join(folder, "boot", name)), busybox: readFileSync(join(folder, "usr/bin/busybox")) };
}

const linux = fetchLinux();
if (typeof linux === "string") console.warn(`linux: skipped, ${linux}`);

const script = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
exec sh
`;

async function start(harts: number): Promise<Guest> {
	if (typeof linux === "string") throw new Error(linux);
	const initrd = cpio([
		...["bin", "dev", "proc"].map((name) => ({ name, mode: 0o40755 })),
		{ name: "dev/console", mode: 0o20600, device: [5, 1] },
		{ name: "bin/busybox", mode: 0o100755, bytes: linux.busybox },
		{ name: "init", mode: 0o100755, bytes: Buffer.from(script) },
	]);
	const images = withFirmware(readFileSync(firmware), linux.kernel, memoryBytes);
	const { kernel, extraImages, chosen } = withBoot(images, initrd, "console=ttyS0", memoryBytes);
	const options = { kernel, harts, memoryBytes, rtc: 1_767_225_600, jit: "on" } as const;
	return boot(options, { extraImages, ...(chosen ? { chosen } : {}) });
}

/** The shell also asks the terminal where its cursor is. */
const prompt = /# (?:\x1b\[6n)?$/;

/** Runs until the text since `from` matches; false: it did not, in so many million instructions. */
function until({ machine, text }: Guest, pattern: RegExp, from: number, millions: number): boolean {
	for (let i = 0; i < millions && !pattern.test(text().slice(from)); i++)
		if (machine.run(M).kind === "halt") return pattern.test(text().slice(from));
	return pattern.test(text().slice(from));
}

describe.skipIf(typeof linux === "string")("Debian's Linux with an initial RAM disk", () => {
	test.each([1, 4])("boots to a shell on %i harts, which works", { timeout: 300_000 }, async (harts) => {
		const guest = await start(harts);
		expect(until(guest, prompt, 0, 8000), guest.text().slice(-2000)).toBe(true);
		const ask = (line: string): string => {
			const from = guest.text().length;
			guest.type(`${line}\n`);
			until(guest, prompt, from, 2000);
			return guest.text().slice(from);
		};
		expect(ask("uname -s -m")).toContain("Linux riscv64");
		expect(ask("grep -c ^processor /proc/cpuinfo")).toContain(`\n${harts}\r`);
		expect(ask("i=0; while [ $i -lt 100 ]; do i=$((i+1)); done; echo $((i*i)) | md5sum")).toContain(
			"154773ae5dc2d36d8b9747e5d3dbfc36",
		);
		expect(ask("date -u +%Y-%m")).toContain("2026-01");
		expect(guest.text()).not.toMatch(/Oops|Kernel panic|BUG:/);
		guest.machine.dispose();
	});
});
