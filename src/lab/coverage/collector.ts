import { type Disposable, toDisposable } from "../../common/disposable.ts";
import { BugError } from "../../common/errors.ts";
import type { CoveragePart, CoverageReport } from "../../protocol/coverage.ts";
import type { RunnableMachine } from "../../session/runnableMachine.ts";
import { Coverage, type CoveredBuild, type Marks } from "./coverage.ts";

/** The part that belongs to no test. */
export const bootPart = "boot";

/** Divides what machines of one build execute among the boot and the tests. */
export class CoverageCollector {
	private readonly coverage: Coverage;
	private readonly parts = new Map<string, Marks>();
	private current: Disposable | undefined;

	constructor(build: CoveredBuild) {
		this.coverage = new Coverage(build);
	}

	/** What this machine executes from now on is the part's, until another part begins or this one ends. Between runs. */
	begin(machine: RunnableMachine, part: string): void {
		this.end();
		const { executed } = machine;
		if (!executed) throw new BugError("the core of this machine does not tell what was executed");
		executed.forget();
		const marks = this.parts.get(part) ?? this.coverage.marks();
		this.parts.set(part, marks);
		const add = () => this.coverage.add(marks, executed.pages());
		const drops = executed.onDrop(add);
		this.current = toDisposable(() => {
			drops.dispose();
			add();
		});
	}

	/** Before the machine is disposed. */
	end(): void {
		this.current?.dispose();
		this.current = undefined;
	}

	/** No machine has run for it. */
	get isEmpty(): boolean {
		return this.parts.size === 0;
	}

	/** In the order in which they began. */
	reports(): CoveragePart[] {
		return [...this.parts].map(([name, marks]) => ({ name, report: this.coverage.report(marks) }));
	}

	/** Of all parts together. */
	together(): CoverageReport {
		return this.coverage.report(this.coverage.union([...this.parts.values()]));
	}
}
