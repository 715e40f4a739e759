import type { VerdictData } from "../protocol/engine.ts";

/** Markdown that shows text from the guest or a manifest as text: every character with a meaning is escaped. */
export function escapeMarkdown(text: string): string {
	return text.replace(/[\\`*_{}[\]()#+\-.!<>|~&]/g, "\\$&");
}

/** A code block that the text cannot close, whatever it holds. */
export function codeBlock(text: string): string {
	const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
	const fence = "`".repeat(longest + 1);
	return `${fence}text\n${text}\n${fence}`;
}

/** The few words around a verdict's own, in the reader's language. */
export interface VerdictWords {
	readonly look: string;
	readonly faults: string;
}

/** Most of a run's faults are of no interest; these last ones led to its end. */
const faultsShown = 8;

/** A failed verdict for a reader, as Markdown: what is wrong, why, what to look at, and the evidence. */
export function describeVerdict(verdict: VerdictData, words: VerdictWords): string {
	const parts = verdict.reasons.map((reason) => `**${escapeMarkdown(reason.message)}**`);
	for (const explanation of verdict.explanations) {
		parts.push(escapeMarkdown(explanation.text));
		if (explanation.look) parts.push(`${words.look} ${escapeMarkdown(explanation.look)}`);
	}
	if (verdict.findings.length > 0) {
		parts.push(verdict.findings.map((finding) => `- ${escapeMarkdown(finding.sentence)}`).join("\n"));
	}
	if (verdict.faults.length > 0) {
		const last = verdict.faults.slice(-faultsShown).map((fault) => fault.text);
		parts.push(`${words.faults}\n\n${codeBlock(last.join("\n"))}`);
	}
	return parts.join("\n\n");
}

/** Characters of a line in a view that does not wrap lines by itself. */
const lineWidth = 100;

/** The same as plain text, in lines of a width that fits beside the sources. */
export function plainVerdict(verdict: VerdictData, words: VerdictWords): string {
	const parts = verdict.explanations.flatMap(({ text, look }) =>
		look ? [wrap(text), wrap(`${words.look} ${look}`)] : [wrap(text)],
	);
	// The cause first: of a message's first line VS Code makes its title.
	parts.push(...verdict.reasons.map((reason) => wrap(reason.message)));
	if (verdict.findings.length > 0) parts.push(verdict.findings.map(({ sentence }) => wrap(`- ${sentence}`)).join("\n"));
	const last = verdict.faults.slice(-faultsShown).map((fault) => printable(`  ${fault.text}`));
	if (last.length > 0) parts.push([words.faults, ...last].join("\n"));
	return parts.join("\n\n");
}

function wrap(text: string): string {
	const lines: string[] = [];
	let line = "";
	for (const word of printable(text).split(/\s+/)) {
		if (line !== "" && line.length + 1 + word.length > lineWidth) {
			lines.push(line);
			line = word;
		} else line = line === "" ? word : `${line} ${word}`;
	}
	return [...lines, line].join("\n");
}

/** Names from the guest's memory may hold anything; what would steer a terminal is shown as unprintable. */
function printable(text: string): string {
	return text.replace(/(?![\t\n])\p{Cc}/gu, "\ufffd");
}

/** One line for a notification. */
export function verdictHeadline(verdict: VerdictData): string {
	if (verdict.outcome === "passed") return `${verdict.title}: passed`;
	const why = verdict.explanations[0]?.text ?? verdict.reasons[0]?.message ?? "";
	const first = why.split(/(?<=[.!?])\s/)[0] ?? why;
	return `${verdict.title}: ${first}`;
}
