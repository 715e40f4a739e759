import { html, LitElement, nothing } from "lit";
import type { MomentModel, MomentPair } from "../../src/protocol/kernelModel.ts";
import { compareMoments, type Difference } from "../compare.ts";
import { panelStyles } from "./styles.ts";

/** Id that asks for this moment. */
export const nowId = 0;
export type MomentAnswer = { readonly before: MomentModel; readonly after: MomentModel } | undefined;

/** Two moments side by side: around a call or a fault, or from a moment that was kept until now. */
export class ComparePanel extends LitElement {
	static override styles = panelStyles;
	static override properties = {
		moments: { attribute: false },
		pid: { type: Number },
		kept: { attribute: false },
		ask: { attribute: false },
		chosen: { state: true },
		shown: { state: true },
		problem: { state: true },
	};
	moments: readonly MomentPair[] = [];
	/** Only calls and faults of this process; -1: all. */
	pid = -1;
	/** A moment that a person kept. */
	kept: MomentModel | undefined;
	ask: (id: number) => Promise<MomentAnswer> = async () => undefined;
	/** Id of a call or fault; {@link nowId}: from the kept moment to now; undefined: the newest. */
	private chosen: number | undefined;
	private shown: { readonly title: string; readonly rows: readonly Difference[] } | undefined;
	private problem = "";
	private asked: string | undefined;

	override willUpdate(changed: Map<PropertyKey, unknown>): void {
		if (changed.has("kept") && this.kept) this.chosen = nowId;
	}

	override render() {
		const offered = this.moments.filter((pair) => this.pid < 0 || pair.text.startsWith(`${this.pid} `));
		const chosen = this.chosen ?? offered.at(-1)?.id;
		if (chosen === undefined)
			return html`<p class="note">Nothing yet: run a program, or press “Keep this moment” and let the guest run.</p>`;
		void this.load(chosen);
		return html`
			<div class="row">
				<label>Before and after
					<select @change=${this.picked}>
						${this.kept ? html`<option value=${nowId} ?selected=${chosen === nowId}>the moment that you kept, and now</option>` : nothing}
						${[...offered].reverse().map((pair) => html`<option value=${pair.id} ?selected=${pair.id === chosen}>${pair.text}</option>`)}
					</select>
				</label>
				${chosen === nowId ? html`<button class="small" @click=${() => this.load(chosen, true)}>Compare again</button>` : nothing}
			</div>
			${this.problem ? html`<p class="bad" role="alert">${this.problem}</p>` : nothing}
			${this.shown ? this.table(this.shown) : nothing}
		`;
	}

	private table({ title, rows }: { title: string; rows: readonly Difference[] }) {
		return html`
			<p aria-live="polite">${title}: ${rows.length === 1 ? "1 difference" : `${rows.length} differences`}.</p>
			<table aria-label="Differences">
				<thead><tr><th>What</th><th>Before</th><th>After</th></tr></thead>
				<tbody>${rows.map((row) => html`<tr><td>${row.what}</td><td class="code">${row.before}</td><td class="code">${row.after}</td></tr>`)}</tbody>
			</table>`;
	}

	/** Asks once for what is chosen; the answer to an older question is dropped. */
	private async load(id: number, again = false): Promise<void> {
		const question = `${id} ${id === nowId ? this.kept?.instret : ""}`;
		if (question === this.asked && !again) return;
		this.asked = question;
		try {
			const answer = await this.ask(id);
			if (this.asked !== question) return;
			const before = id === nowId ? this.kept : answer?.before;
			this.problem = answer && before ? "" : "This moment is kept no more.";
			if (!answer || !before) {
				this.shown = undefined;
				return;
			}
			const time = (moment: MomentModel) => moment.instret.toLocaleString("en");
			this.shown = {
				title: `From instruction ${time(before)} to ${time(answer.after)}`,
				rows: compareMoments(before, answer.after),
			};
		} catch (error) {
			this.problem = (error as Error).message;
		}
	}

	private picked(event: Event): void {
		this.chosen = Number((event.target as HTMLSelectElement).value);
	}
}
customElements.define("xv6-compare", ComparePanel);
