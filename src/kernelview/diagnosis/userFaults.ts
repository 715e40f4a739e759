import { hex } from "../../common/bytes.ts";
import type { Diagnosis, DiagnosisFrame } from "../../protocol/diagnosis.ts";
import { causeName } from "../../riscv/causes.ts";
import { pageBytes } from "../guestMemory.ts";
import { areaAt, processAreas } from "../spaces.ts";
import { canonical } from "../sv39.ts";
import { at, capital, type Evidence, hexOf, named, who } from "./evidence.ts";
import { fillOf, isFill, repeated } from "./kernelFaults.ts";
import type { UserTrap } from "./recorder.ts";

const accesses: Readonly<Record<number, readonly [string, string]>> = {
	12: ["fetch", "executed"],
	13: ["load", "read"],
	15: ["store", "written"],
};

/** Why a trap killed a user process; `kept`: the calls of its program at the time. */
export function userFault(evidence: Evidence, trap: UserTrap, kept: readonly DiagnosisFrame[]): Diagnosis {
	const { process, hart } = trap;
	const program = evidence.sources.program(process.name);
	const place = program?.place(trap.pc);
	const here: DiagnosisFrame = {
		name: place?.function ?? "?",
		address: hex(trap.pc),
		...(place?.file !== undefined && place.line !== undefined ? { file: place.file, line: place.line } : {}),
	};
	const frames = kept.length > 0 ? kept : program ? [here] : [];
	const told = explain(evidence, trap, frames);
	return {
		kind: "user-fault",
		severity: "error",
		...told,
		process: { pid: process.pid, name: process.name },
		hart,
		frames: frames.slice(0, 16),
		...(here.file !== undefined && here.line !== undefined
			? { look: { file: here.file, line: here.line, function: here.name } }
			: {}),
		effects: [],
	};
}

function explain(
	evidence: Evidence,
	trap: UserTrap,
	frames: readonly DiagnosisFrame[],
): Pick<Diagnosis, "cause" | "evidence" | "notes"> {
	const { process, tval, sp } = trap;
	const whose = capital(who(process));
	const where = frames[0] && at(frames[0]) !== "" ? ` in ${named(frames[0])}` : ` at pc ${hexOf(trap.pc)}`;
	const facts = [`scause ${trap.cause}, sepc ${hexOf(trap.pc)}, stval ${hexOf(tval)}, p->sz ${hexOf(process.size)}`];
	const access = accesses[trap.cause];
	if (!access)
		return {
			cause: `${whose} was killed for an ${causeName(trap.cause, false).toLowerCase()}${where}.`
				.replace("an breakpoint", "a breakpoint")
				.replace(/an (load|store)/, "a $1"),
			evidence: facts,
			notes: [],
		};
	const [verb, done] = access;
	const va = canonical(tval);
	const signed = BigInt.asIntN(64, tval);
	const say = (text: string) => `${whose} was killed: its ${verb} of ${hexOf(tval)}${where} ${text}`;
	if (signed < 0n && signed >= -256n)
		return {
			cause: say(
				`is ${signed} as a pointer: what a call that failed returns${signed === -1n ? "" : ", and the offset of a member"}.`,
			),
			evidence: facts,
			notes: [],
		};
	const fill = fillOf(tval);
	if (fill && verb === "fetch" && isFill(trap.pc) && isFill(trap.sp))
		return {
			cause: `${whose} was killed at its return to user mode: its trap frame holds ${fill}. fork() has to copy the parent's trap frame, and exec() to set epc and sp.`,
			evidence: [...facts, "sp holds it, too"],
			notes: [],
		};
	if (va === undefined)
		return {
			cause: say("is no address that Sv39 can map: the pointer holds something else."),
			evidence: facts,
			// The program may have written the same bytes itself.
			notes: fill ? [`The pointer may be read from ${fill}`] : [],
		};
	const { regions, walks, memory, program } = evidence.sources;
	const entry = evidence.log.entries.findLast(
		(candidate) => candidate.type === "fault" && candidate.pid === process.pid && candidate.mode === "user",
	);
	const present = entry?.type === "fault" ? entry.present : "----";
	const elf = program(process.name);
	const leaves = elf || process.root === 0 ? [] : walks.tables(memory, process.root).leaves;
	const area = areaAt(processAreas(process, regions.of(process), leaves, elf), va);
	facts.push(
		present === "----"
			? `page ${hexOf(va - (va % pageBytes))} is not mapped`
			: `page ${hexOf(va - (va % pageBytes))} is mapped ${present}`,
	);
	if (area?.kind === "guard" && sp >= va - (va % pageBytes) + pageBytes)
		return {
			cause: say(
				"is in the guard page below the stack, although sp is not: a pointer or an index leads below the stack.",
			),
			evidence: [...facts, `sp is ${hexOf(sp)}`],
			notes: [],
		};
	if (area?.kind === "guard") {
		const often = repeated(frames);
		const why = often
			? `${often.name} calls itself, and is open ${often.times}${frames.length >= 60 ? " times or more" : " times"}`
			: "too many calls are open, or local arrays are too large";
		return {
			cause: `${whose} used more than its stack of one page: its ${verb} of ${hexOf(tval)}${where} is in the guard page below the stack (${why}).`,
			evidence: [...facts, `sp is ${hexOf(sp)}`],
			notes: [],
		};
	}
	if (va < 256)
		return {
			cause: say(
				va === 0
					? "goes through a null pointer."
					: `is close to 0: a null pointer, or the -1 of a call that failed, plus the offset of a member.`,
			),
			evidence: facts,
			notes: [],
		};
	if (present !== "----")
		return {
			cause: say(`is in ${area?.label ?? "a page"} that may not be ${done}: the page is mapped ${present}.`),
			evidence: facts,
			notes: [],
		};
	if (area?.kind === "region")
		return {
			cause: say(`is in ${area.label}, whose page was never mapped: usertrap has to allocate it at the first access.`),
			evidence: facts,
			notes: [],
		};
	if (va < process.size)
		return {
			cause: say(
				`is on a page below p->sz (${hexOf(process.size)}) that nobody allocated (${area?.label ?? "heap"}): with a lazy sbrk, usertrap has to allocate it.`,
			),
			evidence: facts,
			notes: [],
		};
	return {
		cause: say(
			`is beyond p->sz (${hexOf(process.size)}), and nothing is mapped there${area ? `: ${area.label} is the kernel's` : ""}.`,
		),
		evidence: facts,
		notes: [],
	};
}
