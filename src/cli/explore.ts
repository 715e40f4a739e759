import type { BuildOutput } from "../build/types.ts";
import { UserError } from "../common/errors.ts";
import { visible } from "../common/visible.ts";
import { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { atomicWrite } from "../env/node/atomicWrite.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { type Exploration, explore, exploreSchedule } from "../explore/explore.ts";
import { coveredText, progressText } from "../explore/progress.ts";
import { markedPlaces, recordSchedule } from "../explore/record.ts";
import { type Finding, renderFindings } from "../explore/report.ts";
import { parseScheduleText, scheduleText } from "../explore/scheduleText.ts";
import { type SearchResult, search } from "../explore/search.ts";
import { renderHarm } from "../explore/story.ts";
import type { LabManifest } from "../lab/manifest.ts";
import { serializeRecording } from "../machine/recording.ts";
import type { Schedule } from "../machine/schedule.ts";
import type { MachineParams } from "../protocol/engine.ts";
import { describeEnd } from "../session/commandEnd.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli } from "./build.ts";
import { exploreCommand, parseCommand } from "./commandLine.ts";
import { codeOfEnd, exitCodes } from "./exitCodes.ts";
import { breathe, explorableMachine } from "./machine.ts";
import { machineParams, toolchainKind, wholeNumber } from "./options.ts";
import { ProgressLine } from "./progressLine.ts";
import { checkProgram } from "./run.ts";

export const defaultSchedules = 50;

/** `xv6-lab explore`: one watched run of a program, then many schedules; exit 1 when a detector found something or a schedule failed. */
export async function runExplore(argv: string[]): Promise<number> {
	const { values, positionals } = parseCommand(argv, "explore", exploreCommand);
	const command = values.boot ? undefined : positionals.join(" ");
	if (command === "" || (values.boot && positionals.length > 0)) {
		const what = values.boot ? "--boot takes no PROGRAM" : "Missing PROGRAM";
		throw new UserError("usage", what, "Write: xv6-lab explore PROGRAM [ARG…] [--dir DIR], or xv6-lab explore --boot.");
	}
	const dir = values.dir ?? ".";
	const params = machineParams(values);
	const given = values.schedule === undefined ? undefined : parseScheduleText(values.schedule);
	const schedule = given ?? exploreSchedule(params.seed ?? 0);
	const { manifest } = await openCatalog().labOf(new NodeTree(dir), false);
	const output = await buildForCli(dir, { toolchain: toolchainKind(values.toolchain), quiet: true });
	if (command !== undefined) checkProgram(positionals[0] ?? "", output.programs);
	const count =
		values.schedules === undefined ? defaultSchedules : wholeNumber(values.schedules, "--schedules", 0, 100_000);
	const bench = new Explorer(output, params, manifest, command, values.expect);
	const searches = given === undefined && count > 0 && command !== undefined;
	const seen = await bench.watch(schedule, { print: true, sites: searches });
	const found = searches ? await bench.search(seen, count) : undefined;
	const harm = found?.harm;
	// What only another schedule shows, the detectors explain there.
	const inHarm =
		harm && seen.findings.length === 0 ? await bench.watch(harm.schedule, { print: false, sites: false }) : undefined;
	const findings = inHarm?.findings ?? seen.findings;
	if (values.json) {
		process.stdout.write(
			`${JSON.stringify({ findings, stateHash: seen.stateHash, ...(harm ? { harm } : {}) }, undefined, "\t")}\n`,
		);
	} else {
		process.stdout.write(visible(renderFindings(findings)));
		if (harm) process.stdout.write(`${findings.length > 0 ? "\n" : ""}${visible(renderHarm(harm))}`);
	}
	if (values.record !== undefined) {
		await bench.record(values.record, findings, inHarm && harm ? harm.schedule : schedule, harm?.schedule);
	}
	const races = seen.benign === 1 ? "1 known benign race" : `${seen.benign} known benign races`;
	const left = seen.benign === 0 ? "" : `, ${races} left out`;
	const tried = found
		? `; ${found.schedules} ${found.schedules === 1 ? "schedule" : "schedules"} tried${coveredText(found.covered)}, ${harm ? "the last one failed" : "none failed"}`
		: "";
	process.stderr.write(`xv6-lab: ${findings.length === 0 ? "nothing" : findings.length} found${left}${tried}\n`);
	return findings.length > 0 || harm ? exitCodes.failed : codeOfEnd(seen.end);
}

class Explorer {
	private readonly kernel: ProgramSymbols;

	constructor(
		private readonly output: BuildOutput,
		private readonly params: MachineParams,
		private readonly manifest: LabManifest | undefined,
		/** Undefined: the boot. */
		private readonly command: string | undefined,
		private readonly expect: string | undefined,
	) {
		this.kernel = new ProgramSymbols("kernel", output.kernel);
	}

	/** `sites`: what a search wants to know, too; it costs a second run. */
	async watch(schedule: Schedule, { print, sites }: { print: boolean; sites: boolean }): Promise<Exploration> {
		const seen = await explore({
			createMachine: (watch) => explorableMachine(this.output, this.params, watch),
			kernel: this.kernel,
			command: this.command,
			schedule,
			sites,
			breathe,
			...(this.manifest?.benignRaces ? { benign: this.manifest.benignRaces } : {}),
			...(print ? { onOutput: (bytes: Uint8Array) => void process.stderr.write(bytes) } : {}),
		});
		const why = describeEnd(seen.end, seen.instructions);
		if (print) process.stderr.write(why === "" ? "\n" : `\nxv6-lab: ${why}\n`);
		return seen;
	}

	async search({ sites, end }: Exploration, schedules: number): Promise<SearchResult | undefined> {
		const { command } = this;
		if (end.kind !== "prompt" || command === undefined) return undefined;
		const progress = new ProgressLine(process.stderr);
		const began = performance.now();
		const machine = await explorableMachine(this.output, this.params, false);
		try {
			return await search({
				machine,
				kernel: this.kernel,
				command,
				sites,
				schedules,
				breathe,
				judge: ({ output }) =>
					output.includes(this.expect ?? "") ? undefined : `the program does not print ${JSON.stringify(this.expect)}`,
				onProgress: (now) => progress.show({ ...now, step: progressText(now, (performance.now() - began) / 1000) }),
			});
		} finally {
			progress.clear();
			machine.dispose();
		}
	}

	/** Up to right before the second access of the first finding; without one, to the end of the failing run. */
	async record(
		file: string,
		findings: readonly Finding[],
		schedule: Schedule,
		harmful: Schedule | undefined,
	): Promise<void> {
		const [first] = findings.filter(({ places }) => places.length > 0);
		const before = first?.places.at(-1);
		const by = before ? schedule : (harmful ?? schedule);
		const machine = await explorableMachine(this.output, this.params, false);
		try {
			const title = `${this.command ?? "boot"}${first ? `: ${first.title}` : ""} (schedule ${scheduleText(by)})`;
			const request = { machine, kernel: this.kernel, command: this.command, schedule: by, title, breathe };
			const recording = await recordSchedule(
				before ? { ...request, before, places: markedPlaces(first?.places ?? []) } : request,
			);
			await atomicWrite([{ path: file, bytes: await serializeRecording(recording) }]);
		} finally {
			machine.dispose();
		}
	}
}
