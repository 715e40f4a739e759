/** CPU and wall milliseconds of what a person waits for in a debug session: `node bench/debug.mjs TREE`. */
import { DapSession } from "../test/support/dapSession.ts";

const tree = process.argv[2] ?? ".";
const cpu = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

interface Figure {
	readonly cpu: number;
	readonly wall: number;
}

async function once(): Promise<Record<string, Figure>> {
	const session = new DapSession(tree);
	const { ask, stopped } = { ask: session.ask.bind(session), stopped: session.stopped.bind(session) };
	const figures: Record<string, Figure> = {};
	const measure = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
		const start = { cpu: cpu(), wall: performance.now() };
		const result = await work();
		figures[name] = { cpu: cpu() - start.cpu, wall: performance.now() - start.wall };
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
	const steps: Figure[] = [];
	for (let i = 0; i < 30; i++) {
		await measure("step", async () => {
			await ask("next", { threadId: thread });
			thread = await stopped();
			await show();
		});
		steps.push(figures.step as Figure);
	}
	delete figures.step;
	const rank = (of: keyof Figure, at: number) => steps.map((step) => step[of]).sort((a, b) => a - b)[at] as number;
	for (const [what, at] of Object.entries({ median: 15, "95th percentile": 28 }))
		figures[`step with stack and locals, ${what}`] = { cpu: rank("cpu", at), wall: rank("wall", at) };
	await measure("step back", async () => {
		await ask("stepBack", { threadId: thread });
		thread = await stopped();
	});
	session.dispose();
	return figures;
}

for (const name of ["first", "second", "third"]) {
	console.log(name);
	for (const [what, { cpu, wall }] of Object.entries(await once()))
		console.log(`  ${what}: ${cpu.toFixed(1)} ms CPU, ${wall.toFixed(1)} ms wall`);
}
process.exit(0);
