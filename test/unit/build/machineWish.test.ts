import { expect, test } from "vitest";
import { describeTree } from "../../../src/build/describeTree.ts";
import { tinyMakefile, tinyTree } from "../../support/tinyTree.ts";

async function wish(changes: Record<string, string | undefined> = {}) {
	return (await describeTree(tinyTree(changes))).wish;
}

const legacyDriver = { "kernel/disk.c": "int check(void) { return *R(VIRTIO_MMIO_VERSION) != 1; }\n" };
const withoutFlag = tinyMakefile.replace("QEMUOPTS += -global virtio-mmio.force-legacy=false\n", "");

test("harts, memory and disk come from the tree's QEMU line", async () => {
	expect(await wish()).toEqual({
		harts: 3,
		memoryBytes: 128 * 1024 * 1024,
		virtio: "modern",
		timer: "clint",
		pmp: false,
		warnings: [],
	});
});

test("a tree of the first dialect wants a version 1 disk", async () => {
	expect(await wish({ ...legacyDriver, Makefile: withoutFlag })).toMatchObject({ virtio: "legacy", warnings: [] });
});

test("a driver and a Makefile that contradict each other are named, and the driver decides", async () => {
	const legacy = await wish(legacyDriver);
	expect(legacy.virtio).toBe("legacy");
	expect(legacy.warnings).toHaveLength(1);
	expect(legacy.warnings[0]).toContain("kernel/disk.c:1");
	expect(legacy.warnings[0]).toMatch(/Makefile:\d+/);
	const modern = await wish({ Makefile: withoutFlag });
	expect(modern.virtio).toBe("modern");
	expect(modern.warnings[0]).toContain("force-legacy=false");
});

test("a version check in a comment is no check", async () => {
	const driver = "/* != 1 */\n// *R(VIRTIO_MMIO_VERSION) != 1\nint x;\n";
	expect(await wish({ "kernel/disk.c": driver })).toMatchObject({ virtio: "modern", warnings: [] });
});

test("the supervisor timer is seen by its register, PMP by the start code", async () => {
	const start = "void start(void) {\n  w_pmpaddr0(0x3fffffffffffffull);\n  w_pmpcfg0(0xf);\n}\n";
	const changes = {
		Makefile: tinyMakefile.replace("$K/main.o", "$K/main.o $K/start.o"),
		"kernel/start.c": start,
		"kernel/main.c": "void tick(void) { w_stimecmp(r_time() + 1000000); }\n",
	};
	expect(await wish(changes)).toMatchObject({ timer: "sstc", pmp: true });
});

test.each([
	["-m 256M", 256],
	["-m 256", 256],
	["-m size=1G", 1024],
	["-m 3G", 128],
])("memory %s gives %i MiB", async (option, mebibytes) => {
	expect((await wish({ Makefile: tinyMakefile.replace("-m 128M", option) })).memoryBytes).toBe(mebibytes * 1024 * 1024);
});

test("a kernel that manages more memory than the machine has is named", async () => {
	const wanted = await wish({ Makefile: tinyMakefile.replace("-m 128M", "-m 64M") });
	expect(wanted.memoryBytes).toBe(128 * 1024 * 1024);
	expect(wanted.warnings[0]).toContain("kernel/memlayout.h:2");
});

test("more harts than the kernel has room for are named", async () => {
	const wanted = await wish({ "kernel/param.h": "#define NCPU 2\n" });
	expect(wanted.harts).toBe(2);
	expect(wanted.warnings[0]).toContain("kernel/param.h:1");
});

test("a second disk is named", async () => {
	const Makefile = tinyMakefile.replace(
		"qemu: ",
		"QEMUOPTS += -drive file=b.img,id=x1 -device virtio-blk-device,drive=x1\nqemu: ",
	);
	expect((await wish({ Makefile })).warnings[0]).toContain("2 disks");
});

test("a device that the machine lacks is named", async () => {
	const Makefile = tinyMakefile.replace("qemu: ", "QEMUOPTS += -device virtio-gpu-device\nqemu: ");
	expect((await wish({ Makefile })).warnings[0]).toContain("virtio-gpu-device");
});

test("a kernel that reads the board's clock gets one, with a fixed time", async () => {
	expect(
		await wish({ "kernel/disk.c": "#define RTC 0x101000L\nint check(void) { return *(int *)RTC; }\n" }),
	).toMatchObject({
		rtc: 1_767_225_600,
	});
	expect(await wish()).not.toHaveProperty("rtc");
});

test("a kernel with a driver for the card gets one, and the peer that its lab's program waits for", async () => {
	const Makefile = tinyMakefile.replace("qemu: ", "QEMUOPTS += -device e1000,netdev=net0,bus=pcie.0\nqemu: ");
	// Old Makefiles add the device where no driver is.
	expect(await wish({ Makefile })).not.toHaveProperty("network");
	const driver = { Makefile, ...{ "kernel/disk.c": "void e1000_init(int *regs) { *regs = 0; }\n" } };
	expect((await wish(driver)).network).toEqual({ peer: "echo" });
	const program = 'char *want = "this is the host!";\n';
	expect((await wish({ ...driver, "user/nettests.c": program })).network).toEqual({ peer: "greeting" });
	expect((await wish({ ...driver, "nettest.py": "" })).network).toEqual({ peer: "nettest" });
	expect((await wish(driver)).warnings).toEqual([]);
});
