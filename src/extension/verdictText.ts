import type { VerdictData } from "../protocol/engine.ts";

/** Markdown that shows text from the guest or a manifest as text: every character with a meaning is escaped. */
export function escapeMarkdown(text: string): string {
	return text.replace(/[\\`*_{}[\]()#+\-.!<>|~&]/g, "\\$&");
}

/** A code block that the text cannot close, whatever it holds. */
function codeBlock(text: string): string {
	const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
	const fence = "`".repeat(longest + 1);
	return `${fence}text\n${text}\n${fence}`;
}

/** The few words around a verdict's own, in the reader's language. */
export interface VerdictWords {
	readonly look: string;
	readonly faults: string;
}

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
		const last = verdict.faults.slice(-8).map((fault) => fault.text);
		parts.push(`${words.faults}\n\n${codeBlock(last.join("\n"))}`);
	}
	return parts.join("\n\n");
}

/** One line for a notification. */
export function verdictHeadline(verdict: VerdictData): string {
	if (verdict.outcome === "passed") return `${verdict.title}: passed`;
	const why = verdict.explanations[0]?.text ?? verdict.reasons[0]?.message ?? "";
	const first = why.split(/(?<=[.!?])\s/)[0] ?? why;
	return `${verdict.title}: ${first}`;
}
