/** CPU milliseconds of what a person waits for in a debug session: `node dist/test/debugFigures.mjs TREE`. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { dapHost } from "../../src/cli/dap.ts";
import { DebugSession } from "../../src/debugger/session.ts";

const tree = process.argv[2] ?? ".";
const cpu = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

async function once(): Promise<Record<string, number>> {
	let sequence = 1;
	let wake = () => {};
	const responses = new Map<number, DebugProtocol.Response>();
	const events: DebugProtocol.Event[] = [];
	const session = new DebugSession(
		dapHost({ tree, toolchain: "bundled", translator: true, paced: false }),
		(message) => {
			if (message.type === "event") events.push(message as DebugProtocol.Event);
			else responses.set((message as DebugProtocol.Response).request_seq, message as DebugProtocol.Response);
			wake();
		},
	);
	const ask = async (command: string, args?: object) => {
		const seq = sequence++;
		await session.receive({ seq, type: "request", command, arguments: args });
		return responses.get(seq)?.body;
	};
	const stopped = async () => {
		for (;;) {
			const at = events.findIndex(({ event }) => event === "stopped");
			if (at >= 0) return events.splice(0, at + 1).at(-1)?.body.threadId as number;
			await new Promise<void>((resolve) => {
				wake = resolve;
			});
		}
	};
	const figures: Record<string, number> = {};
	const measure = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
		const start = cpu();
		const result = await work();
		figures[name] = cpu() - start;
		return result;
	};
	await ask("initialize", { adapterID: "xv6" });
	let thread = await measure("F5 to main", async () => {
		await ask("launch", { program: "prodcons3", build: "debug" });
		await ask("configurationDone");
		return stopped();
	});
	const show = async () => {
		const { stackFrames } = await ask("stackTrace", { threadId: thread });
		const { scopes } = await ask("scopes", { frameId: stackFrames[0].id });
		await ask("threads");
		await ask("variables", { variablesReference: scopes[0].variablesReference });
	};
	await measure("first stack and locals", show);
	await ask("setFunctionBreakpoints", { breakpoints: [{ name: "uvmcopy" }] });
	await ask("continue", { threadId: thread });
	thread = await stopped();
	await measure("stack and locals in uvmcopy", show);
	const steps: number[] = [];
	for (let i = 0; i < 30; i++) {
		const start = cpu();
		await ask("next", { threadId: thread });
		thread = await stopped();
		await show();
		steps.push(cpu() - start);
	}
	steps.sort((a, b) => a - b);
	figures["step with stack and locals, median"] = steps[15] as number;
	figures["step with stack and locals, 95th percentile"] = steps[28] as number;
	await measure("step back", async () => {
		await ask("stepBack", { threadId: thread });
		thread = await stopped();
	});
	session.dispose();
	return figures;
}

for (const name of ["first", "second", "third"]) {
	console.log(name);
	for (const [what, ms] of Object.entries(await once())) console.log(`  ${what}: ${ms.toFixed(1)} ms`);
}
process.exit(0);
