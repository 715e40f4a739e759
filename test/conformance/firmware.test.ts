import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { boot, type Guest } from "../support/guest.ts";

/** Software that nobody here wrote: OpenSBI and U-Boot as Debian and Ubuntu package them. */
const packages = ["opensbi", "u-boot-qemu"];
const files = {
	opensbi: "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.elf",
	uboot: "usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin",
};
/** Where OpenSBI's generic platform and QEMU expect the next stage. */
const payload = 0x80200000n;
const M = 1_000_000;

const unpacked = mkdtempSync(join(tmpdir(), "xv6-lab-firmware-"));
afterAll(() => rmSync(unpacked, { recursive: true, force: true }));

/** Folder that holds both files: the system, or packages unpacked beside it without installing them. */
function findFirmware(): string | undefined {
	const has = (root: string) => Object.values(files).every((file) => existsSync(join(root, file)));
	if (has("/")) return "/";
	const fetched = spawnSync("apt-get", ["download", ...packages], { cwd: unpacked, timeout: 120_000 });
	if (fetched.status !== 0) return undefined;
	spawnSync("sh", ["-c", 'for deb in *.deb; do dpkg-deb -x "$deb" .; done'], { cwd: unpacked, timeout: 120_000 });
	return has(unpacked) ? unpacked : undefined;
}

const root = findFirmware();
if (!root)
	console.warn(`firmware: skipped, the packages ${packages.join(" and ")} are not here and apt-get cannot fetch them`);

const image = (file: string) => new Uint8Array(readFileSync(join(root as string, file)));

async function start(harts: number): Promise<Guest> {
	const disk = new Uint8Array(1024 * 1024);
	disk.set(new TextEncoder().encode("sector zero of the disk"));
	return boot(
		{ kernel: image(files.opensbi), harts, memoryBytes: 128 << 20, disk, jit: "on" },
		{ extraImages: [{ physical: payload, bytes: image(files.uboot) }] },
	);
}

/** Runs until the text since `from` matches; what is typed stops the autoboot. */
function until(guest: Guest, pattern: RegExp, from = 0): string {
	for (let i = 0; i < 400 && !pattern.test(guest.text().slice(from)); i++) {
		const stop = guest.machine.run(5 * M);
		if (stop.kind === "halt") break;
	}
	return guest.text().slice(from);
}

function command(guest: Guest, line: string): string {
	const from = guest.text().length;
	guest.type(`${line}\n`);
	return until(guest, /\n=> $/, from);
}

async function toPrompt(harts: number): Promise<Guest> {
	const guest = await start(harts);
	until(guest, /Hit any key to stop autoboot/);
	guest.type("\n");
	until(guest, /\n=> $/);
	return guest;
}

describe.skipIf(!root)("OpenSBI and U-Boot", () => {
	test.each([1, 4])("come up to U-Boot's prompt with %i harts", async (harts) => {
		const guest = await toPrompt(harts);
		const text = guest.text();
		expect(text).toMatch(/OpenSBI v\d/);
		expect(text).toMatch(new RegExp(`Platform HART Count +: ${harts}\\r?\\n`));
		expect(text).toMatch(/Platform Timer Device +: aclint-mtimer @ 10000000Hz/);
		expect(text).toMatch(/Boot HART PMP Count +: 16/);
		expect(text).toMatch(/Boot HART Base ISA +: rv64imafdc/);
		expect(text).toMatch(/U-Boot \d+/);
		expect(text).toMatch(/DRAM: +128 MiB/);
		expect(text).toMatch(/\n=> $/);
		expect(guest.stalls).toEqual([]);
	});

	test("U-Boot reads the disk, runs commands, restarts and switches off", async () => {
		const guest = await toPrompt(1);
		expect(command(guest, "virtio scan; virtio info")).toMatch(
			/Device 0: QEMU VirtIO Block Device[\s\S]*Capacity: 1\.0 MB/,
		);
		expect(command(guest, "virtio read 0x81000000 0 1; md.b 0x81000000 0x17")).toContain("sector zero of t");
		const from = guest.text().length;
		guest.type("reset\n");
		expect(until(guest, /Hit any key to stop autoboot/, from)).toMatch(/OpenSBI v\d/);
		guest.type("\n");
		until(guest, /\n=> $/, from);
		guest.type("poweroff\n");
		expect(guest.machine.run(100 * M)).toEqual({ kind: "halt", code: 0, by: "finisher" });
		expect(guest.errors).toEqual([]);
	});
});
