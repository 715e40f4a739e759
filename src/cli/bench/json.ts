import type { Measured, Side } from "./report.ts";

/** One row of the table on one side: every session's figures, so that a comparison knows how much they vary. */
interface JsonRow {
	readonly work: string;
	readonly harts: number;
	readonly side: Side | "native";
	/** Of the wall clock and of all threads of the process, one of each a session. `cpu` is missing where the system does not tell. */
	readonly seconds: readonly number[];
	readonly cpu?: readonly number[];
	/** Guest instructions; ours only. */
	readonly instructions?: number;
}

interface BenchFile {
	readonly format: 1;
	/** When it was measured, ISO 8601. */
	readonly date: string;
	readonly machine: string;
	readonly qemu?: string;
	readonly rows: readonly JsonRow[];
}

/** What `xv6-lab bench --json` prints and bench/compare.mjs reads. */
export function benchFile(measured: Measured, date: Date): BenchFile {
	const { machine, qemu, works, sessions, native } = measured;
	const rows: JsonRow[] = [];
	for (const [key, list] of sessions) {
		const [side, count] = key.split(" ") as [Side, string];
		const harts = Number(count);
		const row = (work: string, times: readonly { seconds: number; cpu: number; instructions?: number }[]) => {
			if (times.length === 0) return;
			const cpu = times.map((one) => one.cpu);
			const instructions = times[0]?.instructions;
			rows.push({
				...{ work, harts, side, seconds: times.map(({ seconds }) => seconds) },
				...(cpu.some(Number.isNaN) ? {} : { cpu }),
				...(instructions === undefined ? {} : { instructions }),
			});
		};
		row(
			"boot to prompt, from the process's start",
			list.map(({ bootProcess }) => bootProcess),
		);
		for (const work of works)
			for (const turn of [0, 1]) {
				const runs = list.flatMap((session) =>
					session.runs.filter((run) => run.name === work.name && run.turn === turn),
				);
				row(`${work.name}, ${turn === 0 ? "first time" : "again"}`, runs);
			}
	}
	for (const [name, seconds] of native) rows.push({ work: `${name}, again`, harts: 1, side: "native", seconds });
	return { format: 1, date: date.toISOString(), machine, ...(qemu ? { qemu } : {}), rows };
}
