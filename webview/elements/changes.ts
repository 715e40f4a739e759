import { html, nothing } from "lit";
import { l10n } from "../l10n.ts";
import { type Change, changesBetween } from "../model/changes.ts";
import { count } from "../model/format.ts";
import { memoryAt } from "../model/memory.ts";
import { chip, Part } from "./part.ts";

const mostChanges = 24;

/** What the event changed, or all that changed since an event that was marked. */
export class Changes extends Part {
	override render() {
		const { store } = this;
		const run = this.run;
		const { index, baseline } = store;
		const from = baseline !== undefined && baseline < run.events.length ? baseline : index - 1;
		const [low, high] = from < index ? [from, index] : [index, from];
		const before = low >= 0 ? memoryAt(run, low) : undefined;
		const after = memoryAt(run, high);
		const changes = before && after && before !== after ? changesBetween(run, before, after) : [];
		const title =
			baseline === undefined
				? l10n.t("What this event changed")
				: l10n.t("What changed from event {0} to {1}", count(low + 1), count(high + 1));
		return html`
			<section class="part" aria-labelledby="changes-title">
				<h2 id="changes-title">${title}<small>${changes.length === 0 ? l10n.t("nothing in the address spaces") : nothing}</small>${
					baseline === undefined
						? html`<button class="link" title=${l10n.t("From now on the changes since this event are shown")} @click=${() => this.mark(index)}>${l10n.t("Compare from here")}</button>`
						: html`<button class="link" @click=${() => this.mark(undefined)}>${l10n.t("Compare with the event before")}</button>`
				}</h2>
				${changes.length > 0 ? html`<ul class="changes">${changes.slice(0, mostChanges).map((change) => this.change(change))}</ul>` : nothing}
				${changes.length > mostChanges ? html`<p class="note">${l10n.t("and {0} more", count(changes.length - mostChanges))}</p>` : nothing}
			</section>`;
	}

	private change({ pid, what, before, after, va }: Change) {
		const { store } = this;
		const name =
			va === undefined ? what : html`<button class="link" @click=${() => store.select({ pid, va })}>${what}</button>`;
		return html`<li>${chip(this.run, pid)}<span>${name}</span><span class="from">${before}</span><span class="arrow" aria-hidden="true">→</span><span class="sr">${l10n.t("becomes")}</span><span>${after}</span></li>`;
	}

	private mark(index: number | undefined): void {
		this.store.baseline = index;
		this.store.changed();
	}
}
customElements.define("xv6-changes", Changes);
