import type { LogEntry } from "../../src/protocol/kernelModel.ts";
import { isRefused } from "./words.ts";

/** What is typed into the filter: words that all have to be there. `refused`, `faults`, `calls` and `pid:4` are understood, too. */
export function filterLog(log: readonly LogEntry[], filter: string): readonly LogEntry[] {
	const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
	if (words.length === 0) return log;
	const tests = words.map(testOf);
	return log.filter((entry) => tests.every((test) => test(entry)));
}

function testOf(word: string): (entry: LogEntry) => boolean {
	if (word === "refused") return isRefused;
	if (word === "faults") return (entry) => entry.type === "fault";
	if (word === "calls") return (entry) => entry.type === "mark";
	const pid = /^pid:(\d+)$/.exec(word)?.[1];
	if (pid !== undefined) return (entry) => entry.pid === Number(pid);
	return (entry) => searchText(entry).includes(word);
}

const texts = new WeakMap<LogEntry, string>();

function searchText(entry: LogEntry): string {
	let text = texts.get(entry);
	if (text === undefined) {
		const own =
			entry.type === "mark"
				? [entry.text, entry.result]
				: [
						entry.access,
						entry.address,
						entry.range,
						entry.outcome,
						entry.source && `${entry.source.file}:${entry.source.line}`,
					];
		text = [entry.pid, entry.process, ...own].join(" ").toLowerCase();
		texts.set(entry, text);
	}
	return text;
}

/** Rows around what is scrolled to: those in the document, and the room of those that are not. */
export interface Slice {
	readonly first: number;
	readonly last: number;
	readonly above: number;
	readonly below: number;
}

/** `height`: of a row on the average. */
export function sliceOf(rows: number, height: number, scrollTop: number, viewHeight: number, more = 10): Slice {
	const first = Math.max(0, Math.min(rows, Math.floor(scrollTop / height) - more));
	const last = Math.min(rows, first + Math.ceil(viewHeight / height) + 2 * more);
	return { first, last, above: first * height, below: (rows - last) * height };
}
