import { expect, test } from "vitest";
import { BootSession, type SessionIo, type SessionOptions } from "../../../src/cli/bootSession.ts";
import { toDisposable } from "../../../src/common/disposable.ts";
import type { MachineOptions } from "../../../src/machine/types.ts";
import { boot } from "../../support/guest.ts";

/** A shell in a few lines: a prompt, an echo of each line, `!` as the first key panics, `.` ends the run with code 256. */
const shell = `
	li s0, UART
	la s1, prompt
next:
	mv a0, s1
	jal ra, print
line:
	lbu t1, 5(s0)
	andi t1, t1, 1
	beqz t1, line
	lbu t1, (s0)
	sb t1, (s0)
	li t2, 33
	beq t1, t2, panic
	li t2, 46
	beq t1, t2, end
	li t2, 10
	bne t1, t2, line
	j next
panic:
	la a0, panicked
	jal ra, print
	j .
end:
	li t0, FINISHER
	li t1, 0x1003333
	sw t1, (t0)
	j .
print:
	lbu t0, (a0)
	beqz t0, 1f
	sb t0, (s0)
	addi a0, a0, 1
	j print
1:
	ret
	.align 3
prompt:
	.word 0x0020240a            # newline, $, space
panicked:
	.word 0x696e6170, 0x6e203a63, 0x000a776f
`;

interface Played {
	readonly code: number;
	readonly text: string;
	readonly said: readonly string[];
}

async function play(
	options: Partial<SessionOptions>,
	change: {
		readonly kernel?: string;
		readonly io?: Partial<SessionIo>;
		readonly machine?: Partial<MachineOptions>;
	} = {},
): Promise<Played> {
	const guest = await boot({ kernel: change.kernel ?? shell, ...change.machine });
	const said: string[] = [];
	let clock = 0;
	const io: SessionIo = {
		write: () => true,
		drained: async () => {},
		say: (text) => said.push(text),
		now: () => ++clock,
		breathe: async () => {},
		attach: () => toDisposable(() => {}),
		...change.io,
	};
	const session = new BootSession(guest.machine, io, {
		commands: [],
		until: undefined,
		deadline: undefined,
		scripted: true,
		replay: false,
		...options,
	});
	const code = await session.run();
	return { code, text: guest.text(), said };
}

test("commands are typed one at a time, each at a prompt, and the last prompt ends the run", async () => {
	const { code, text } = await play({ commands: ["one", "two"] });
	expect([code, text]).toEqual([0, "\n$ one\n\n$ two\n\n$ "]);
});

test("without a shell a match ends the run", async () => {
	const { code } = await play({ until: /\$ $/ });
	expect(code).toBe(0);
});

test("commands and a match together: the match ends the run", async () => {
	const { code, text } = await play({ commands: ["one", "two"], until: /on.\n/ });
	expect(code).toBe(0);
	expect(text).not.toContain("two");
});

test("a panic is exit code 3, and its text is whole", async () => {
	const { code, text } = await play({ commands: ["!"] });
	expect([code, text]).toEqual([3, "\n$ !panic: now\n"]);
});

test("the guest's own code comes out, and never as success by losing its high bits", async () => {
	expect((await play({ commands: ["."] })).code).toBe(1);
	const own = "li t0, FINISHER\nli t1, 0x73333\nsw t1, (t0)\nj .";
	expect((await play({}, { kernel: own })).code).toBe(7);
});

test("a guest that spins for ever ends at the deadline with code 4", async () => {
	const { code, said } = await play({ deadline: 20, until: /never/ }, { kernel: "loop:\naddi s0, s0, 1\nj loop" });
	expect(code).toBe(4);
	expect(said.join()).toContain("timed out waiting for /never/");
});

test("a script that would wait for ever ends by itself and says why", async () => {
	const { code, said } = await play({ commands: ["x"] }, { kernel: "1:\nwfi\nj 1b" });
	expect(code).toBe(4);
	expect(said.some((text) => text.includes("no progress"))).toBe(true);
});

test("keys go to the guest, and quitting ends the session", async () => {
	let send: (bytes: Uint8Array) => void = () => {};
	let quit: () => void = () => {};
	let detached = false;
	let seen = "";
	const { code, text } = await play(
		{ scripted: false },
		{
			io: {
				attach: (toGuest, stop) => {
					[send, quit] = [toGuest, stop];
					return toDisposable(() => {
						detached = true;
					});
				},
				write: (bytes) => {
					seen += Buffer.from(bytes).toString("latin1");
					if (seen === "\n$ ") send(new TextEncoder().encode("k\n"));
					if (seen.endsWith("k\n\n$ ")) quit();
					return true;
				},
			},
		},
	);
	expect([code, text, detached]).toEqual([0, "\n$ k\n\n$ ", true]);
});

test("a reader that is behind holds the machine", async () => {
	const flood = "li t0, UART\nli t2, 120\n1:\nsb t2, (t0)\nj 1b";
	let waiting = 0;
	let most = 0;
	let held = 0;
	await play(
		{ deadline: 40 },
		{
			kernel: flood,
			io: {
				write: (bytes) => {
					waiting += bytes.length;
					most = Math.max(most, waiting);
					return false;
				},
				drained: async () => {
					waiting = 0;
					held++;
				},
			},
		},
	);
	expect(held).toBeGreaterThan(5);
	expect(most).toBeLessThan(600_000);
});

test("a kernel whose disk driver wants the other version is told what to try", async () => {
	const words = [..."panic: could not find virtio disk\n"].map(
		(letter) => `li t1, ${letter.charCodeAt(0)}\nsb t1, (t0)`,
	);
	const { code, said } = await play({ until: /never/ }, { kernel: `li t0, UART\n${words.join("\n")}\nj .` });
	expect(code).toBe(3);
	expect(said.join()).toContain("--virtio legacy");
});
