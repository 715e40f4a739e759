import { UserError } from "../common/errors.ts";
import { visible } from "../common/visible.ts";
import { parseQemuArguments, qemuHelp } from "./qemu/arguments.ts";

/** As QEMU for any complaint about its arguments. */
const refused = 1;

/**
 * `xv6-lab qemu`: stands in for qemu-system-riscv64 in a Makefile. Makefiles ask for `-help` and `--version` at every start, so these
 * load nothing.
 */
export async function runQemu(argv: string[]): Promise<number> {
	if (argv.some((word) => /^--?(?:help|h)$/.test(word))) {
		process.stdout.write(qemuHelp());
		return 0;
	}
	if (argv.some((word) => /^--?version$/.test(word))) {
		// The oldest QEMU that current Makefiles accept, and the one whose behaviour this follows.
		process.stdout.write("QEMU emulator version 7.2.22 (xv6-lab)\n");
		return 0;
	}
	try {
		const config = parseQemuArguments(argv);
		return await (await import("./qemu/run.ts")).runMachine(config);
	} catch (error) {
		if (!(error instanceof UserError)) throw error;
		process.stderr.write(`xv6-lab qemu: ${visible(error.format())}\n`);
		return refused;
	}
}
