import { html, LitElement, nothing } from "lit";
import type { FindingRow } from "../pageModel.ts";
import { panelStyles } from "./styles.ts";

const words = { error: "Error", warning: "Warning", info: "Note" } as const;

/** Findings, each a sentence with its evidence; an empty list says that nothing was found, not that nothing was looked at. */
export class FindingsPanel extends LitElement {
	static override styles = panelStyles;
	static override properties = {
		findings: { attribute: false },
		diagnosis: { attribute: false },
		notes: { attribute: false },
	};
	findings: readonly FindingRow[] = [];
	diagnosis = "";
	notes: readonly string[] = [];

	override render() {
		return html`
			${this.notes.map((note) => html`<p class="note">${note}</p>`)}
			${this.diagnosis === "" ? nothing : html`<pre class="diagnosis" role="region" aria-label="Why the run ended" tabindex="0">${this.diagnosis}</pre>`}
			${this.findings.length === 0 && this.diagnosis === "" ? html`<p class="note">No finding: page tables, frames and reference counts agree.</p>` : nothing}
			<ul aria-live="polite" aria-label="Findings">
				${this.findings.map((finding) => this.row(finding))}
			</ul>
		`;
	}

	private row(finding: FindingRow) {
		return html`<li data-finding=${finding.id}>
			<span class=${finding.severity === "error" ? "bad" : ""}>${words[finding.severity]}:</span> ${finding.sentence}
			${finding.evidence.length > 0 ? html`<ul>${finding.evidence.map((line) => html`<li class="code">${line}</li>`)}</ul>` : nothing}
			<div class="row">
				${finding.source ? html`<button class="link" @click=${() => this.open(finding)}>${finding.source.file}:${finding.source.line}</button>` : nothing}
				${finding.frames.length > 0 ? html`<button class="link" @click=${() => this.show(finding)}>Show in the frame map</button>` : nothing}
			</div>
		</li>`;
	}

	private open(finding: FindingRow): void {
		this.dispatchEvent(new CustomEvent("open-source", { detail: finding.source, bubbles: true, composed: true }));
	}

	private show(finding: FindingRow): void {
		this.dispatchEvent(new CustomEvent("show-frames", { detail: finding.frames, bubbles: true, composed: true }));
	}
}
customElements.define("xv6-findings", FindingsPanel);
