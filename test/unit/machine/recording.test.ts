import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { parseRecording, recordedMachine, recordingOf, serializeRecording } from "../../../src/machine/recording.ts";
import { boot, coreModule, smallRam } from "../../support/guest.ts";
import { Random } from "../../support/random.ts";

/** Echoes what is typed, and counts. */
const echo = `
	li s4, UART
1:	addi s5, s5, 3
	lbu t0, 5(s4)
	andi t0, t0, 1
	beqz t0, 1b
	lbu t0, (s4)
	add s5, s5, t0
	sb t0, (s4)
	j 1b
`;

async function recorded() {
	const guest = await boot({
		kernel: echo,
		memoryBytes: 2 * smallRam,
		harts: 2,
		seed: 3,
		virtio: "legacy",
		disk: new Uint8Array(2048).fill(7),
	});
	const random = new Random(4);
	for (let i = 0; i < 12; i++) {
		guest.machine.run(1 + random.below(20_000));
		guest.type("abc".slice(0, 1 + random.below(3)));
	}
	guest.machine.run(30_000);
	return guest;
}

test.each(["off", "on", "eager"] as const)("a run as a file is the same run again, translator %s", async (jit) => {
	const guest = await recorded();
	const file = await serializeRecording(recordingOf(guest.machine, "echo"));
	const recording = await parseRecording(file);
	expect(recording.title).toBe("echo");
	const machine = await recordedMachine(recording, { core: coreModule() }, jit);
	let text = "";
	machine.console.onData((bytes) => {
		text += new TextDecoder().decode(bytes);
	});
	expect(machine.run(10_000_000)).toEqual({ kind: "requested" });
	expect([machine.stateHash(), machine.instret, text]).toEqual([recording.hash, guest.machine.instret, guest.text()]);
	expect(recording.hash).toBe(guest.machine.stateHash());
});

test("marks come back with the run, and what are none is refused", async () => {
	const recording = recordingOf((await recorded()).machine, "echo");
	const marks = [{ at: 17, hart: 1, text: "write in f, kernel/f.c:3" }];
	expect((await parseRecording(await serializeRecording({ ...recording, marks }))).marks).toEqual(marks);
	const bad = { at: -1, hart: 1, text: "" };
	await expect(parseRecording(await serializeRecording({ ...recording, marks: [bad] }))).rejects.toThrow(UserError);
	const many = Array.from({ length: 17 }, () => marks[0] as (typeof marks)[0]);
	await expect(parseRecording(await serializeRecording({ ...recording, marks: many }))).rejects.toThrow(UserError);
});

test("a run that was changed by hand is not saved", async () => {
	const { machine } = await recorded();
	machine.harts[0]?.setRegister(5, 1n);
	expect(() => recordingOf(machine)).toThrow(/changed by hand/);
});

describe("damaged files", () => {
	const refused = async (file: Uint8Array, most?: number): Promise<string> => {
		try {
			const recording = await parseRecording(file, most);
			// A file that reads well may still ask for a machine that cannot be.
			await recordedMachine(recording, { core: coreModule() });
			return "";
		} catch (error) {
			expect(error).toBeInstanceOf(UserError);
			return (error as UserError).message;
		}
	};
	const gzip = async (bytes: Uint8Array) =>
		new Uint8Array(
			await new Response(
				new Blob([bytes as BlobPart])
					.stream()
					.pipeThrough(new CompressionStream("gzip") as unknown as TransformStream<Uint8Array, Uint8Array>),
			).arrayBuffer(),
		);
	const gunzip = async (bytes: Uint8Array) =>
		new Uint8Array(
			await new Response(
				new Blob([bytes as BlobPart])
					.stream()
					.pipeThrough(new DecompressionStream("gzip") as unknown as TransformStream<Uint8Array, Uint8Array>),
			).arrayBuffer(),
		);

	test("cut, changed or of something else", async () => {
		const file = await serializeRecording(recordingOf((await recorded()).machine));
		const plain = await gunzip(file);
		expect(await refused(file.subarray(0, file.length - 20))).toMatch(/whole gzip/);
		expect(await refused(new Uint8Array(100))).toMatch(/whole gzip/);
		expect(await refused(await gzip(plain.subarray(0, plain.length - 4)))).toMatch(/cut short/);
		const flipped = plain.slice();
		flipped[flipped.length - 9] = (flipped[flipped.length - 9] as number) ^ 1;
		expect(await refused(await gzip(flipped))).toMatch(/checksum/);
		expect(await refused(await gzip(new TextEncoder().encode("{}\n")))).toMatch(/another kind/);
		expect(await refused(await gzip(new TextEncoder().encode("no header at all")))).toMatch(/no header/);
	});

	test("any change of its header is refused in words or is no change", async () => {
		const plain = await gunzip(await serializeRecording(recordingOf((await recorded()).machine)));
		const end = plain.indexOf(10);
		const random = new Random(9);
		for (let i = 0; i < 60; i++) {
			const hurt = plain.slice();
			hurt[random.below(end)] = random.pick([...'0123456789-{}[],"ex']).charCodeAt(0);
			await refused(await gzip(hurt));
		}
	});

	test("a small file that unpacks to more than a run can have is refused", async () => {
		const zeros = new Uint8Array(1 << 20);
		const bomb = new ReadableStream<Uint8Array>({
			start: (controller) => {
				for (let i = 0; i < 10; i++) controller.enqueue(zeros);
				controller.close();
			},
		}).pipeThrough(new CompressionStream("gzip") as unknown as TransformStream<Uint8Array, Uint8Array>);
		const file = new Uint8Array(await new Response(bomb).arrayBuffer());
		expect(await refused(file, 8 << 20)).toMatch(/more than a run/);
	});
});
