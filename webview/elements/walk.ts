import { html, LitElement, nothing } from "lit";
import type { WalkModel } from "../pageModel.ts";
import { panelStyles } from "./styles.ts";

/** Enter an address and see the three levels of its Sv39 walk, and why it faults. */
export class WalkPanel extends LitElement {
	static override styles = panelStyles;
	static override properties = {
		address: { type: String },
		result: { attribute: false },
		problem: { type: String },
		notes: { attribute: false },
	};
	address = "0x3fffffd000";
	result: WalkModel | undefined;
	problem = "";
	notes: readonly string[] = [];

	override render() {
		return html`
			${this.notes.map((note) => html`<p class="note">${note}</p>`)}
			<form class="row" @submit=${this.submitted}>
				<label>Virtual address <input class="code" type="text" .value=${this.address} spellcheck="false"></label>
				<button type="submit">Walk</button>
			</form>
			${this.problem ? html`<p class="bad" role="alert">${this.problem}</p>` : nothing}
			${this.result ? this.steps(this.result) : nothing}
		`;
	}

	private steps(walk: WalkModel) {
		return html`
			<table aria-label="Page-table walk of ${this.address}">
				<thead><tr><th>Level</th><th>Index</th><th>Entry at</th><th>Entry</th><th>Bits</th><th>Meaning</th></tr></thead>
				<tbody>
					${walk.steps.map(
						(step) => html`<tr>
							<td>${step.level}</td><td>${step.index}</td><td class="code">${step.pteAddress}</td>
							<td class="code">${step.pte}</td><td class="code">${step.bits}</td><td>${step.meaning}</td>
						</tr>`,
					)}
				</tbody>
			</table>
			<p aria-live="polite"><b>${walk.result}</b></p>
		`;
	}

	private submitted(event: SubmitEvent): void {
		event.preventDefault();
		const text = this.renderRoot.querySelector("input")?.value.trim() ?? "";
		if (!/^(0x)?[0-9a-fA-F]{1,16}$/.test(text)) {
			this.problem = "Write an address in hexadecimal, such as 0x3fffffd028.";
			return;
		}
		this.problem = "";
		this.address = text.startsWith("0x") ? text : `0x${text}`;
		this.dispatchEvent(new CustomEvent("walk", { detail: this.address, bubbles: true, composed: true }));
	}
}
customElements.define("xv6-walk", WalkPanel);
