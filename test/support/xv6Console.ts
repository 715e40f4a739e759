import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { Shell } from "../../src/session/shell.ts";

const enough = 200_000_000_000;

/** Everything on our machine's console from the kernel's first line to the prompt after the command. */
export async function consoleOfOurs(output: BuildOutput, harts: number, command: string): Promise<string> {
	const { machine } = await createMachine(output, { harts, translator: true });
	const decoder = new TextDecoder();
	let text = "";
	const shell = Shell.on(machine, {
		breathe,
		onOutput: (bytes) => {
			text += decoder.decode(bytes, { stream: true });
		},
	});
	try {
		await shell.waitForPrompt(enough);
		await shell.run(command, enough);
		return text;
	} finally {
		shell.dispose();
		machine.dispose();
	}
}

/**
 * From the kernel's first line on, without carriage returns, and with the harts in the order of their numbers: which of them comes
 * first is nobody's promise.
 */
export function normalized(console: string): string {
	const text = console.replaceAll("\r", "");
	const lines = text.slice(Math.max(0, text.indexOf("xv6 kernel is booting"))).split("\n");
	const isHart = (line: string) => /^hart \d+ starting$/.test(line);
	const harts = lines.filter(isHart).sort();
	return lines.map((line) => (isHart(line) ? (harts.shift() as string) : line)).join("\n");
}

/** The same for any number of harts and any compiler: without the harts' own lines and the addresses in a program, which hang on its size. */
export function comparable(console: string): string {
	return normalized(console)
		.replace(/^hart \d+ starting\n/gm, "")
		.replace(/sepc=0x[0-9a-f]+/g, "sepc=…")
		.replace(/stval=0x[1-9a-f][0-9a-f]{0,4}\b/g, "stval=…");
}
