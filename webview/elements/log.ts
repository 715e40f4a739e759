import { html, nothing } from "lit";
import type { LogEntry } from "../../src/protocol/kernelModel.ts";
import { l10n } from "../l10n.ts";
import { count, since } from "../model/format.ts";
import { filterLog, sliceOf } from "../model/logRows.ts";
import { indexOfEntry } from "../model/run.ts";
import { isRefused, outcomeText, whatText } from "../model/words.ts";
import { chip, icon, Part, relate, sourceLink } from "./part.ts";

/** Up to so many rows stand in the page itself; a longer log scrolls in a box of its own. */
const mostPlain = 80;
const rowHeight = 29;
const cardHeight = 78;

/** Faults and calls: a row each, cards where the page is narrow. */
export class Log extends Part {
	private top = 0;
	private filtered:
		| { readonly log: readonly LogEntry[]; readonly filter: string; readonly rows: readonly LogEntry[] }
		| undefined;
	/** Index of the row that the arrow keys are at. */
	private cursor = 0;

	override render() {
		const { store } = this;
		const { log, logDropped } = this.run.model;
		const rows = this.rows(log, store.filter);
		const notes = this.run.model.notes.faults ?? [];
		const faults = log.reduce((sum, entry) => sum + (entry.type === "fault" ? 1 : 0), 0);
		const scrolls = rows.length > mostPlain;
		const height = store.width < 720 ? cardHeight : rowHeight;
		const slice = scrolls
			? sliceOf(rows.length, height, this.top, 520)
			: { first: 0, last: rows.length, above: 0, below: 0 };
		const now = store.event?.entry?.id;
		return html`
			<section class="part" aria-labelledby="log-title">
				<h2 id="log-title">${l10n.t("Faults and calls")}<small>${faults === 1 ? l10n.t("1 fault") : l10n.t("{0} faults", count(faults))}, ${log.length - faults === 1 ? l10n.t("1 call") : l10n.t("{0} calls", count(log.length - faults))}${logDropped > 0 ? `, ${l10n.t("{0} older ones dropped", count(logDropped))}` : ""}</small></h2>
				${notes.map((note) => html`<p class="note">${note}</p>`)}
				<div class="filter">
					<label class="sr" for="filter">${l10n.t("Filter faults and calls")}</label>
					<input id="filter" type="search" spellcheck="false" .value=${store.filter} placeholder=${l10n.t("Filter, such as: store pid:4 refused")} @input=${(event: Event) => store.setFilter((event.target as HTMLInputElement).value)}>
					<span class="muted" role="status">${rows.length === log.length ? nothing : l10n.t("{0} of {1}", count(rows.length), count(log.length))}</span>
				</div>
				${rows.length === 0 ? html`<p class="muted">${log.length === 0 ? l10n.t("No fault and no call that changes memory yet.") : l10n.t("Nothing matches.")}</p>` : nothing}
				<div class="log ${scrolls ? "scrolls" : ""}" role="table" aria-label=${l10n.t("Faults and calls")} aria-rowcount=${rows.length + 1} ?hidden=${rows.length === 0} @scroll=${this.scrolled} @keydown=${this.key}>
					<div class="row head ${store.width < 720 ? "sr" : ""}" role="row">${[l10n.t("At"), l10n.t("Process"), l10n.t("What"), l10n.t("Outcome"), l10n.t("Source")].map((name) => html`<span role="columnheader">${name}</span>`)}</div>
					${scrolls ? html`<div class="room" .style=${`height: ${slice.above}px`}></div>` : nothing}
					${rows.slice(slice.first, slice.last).map((entry, i) => this.row(entry, slice.first + i, entry.id === now))}
					${scrolls ? html`<div class="room" .style=${`height: ${slice.below}px`}></div>` : nothing}
				</div>
			</section>`;
	}

	private rows(log: readonly LogEntry[], filter: string): readonly LogEntry[] {
		if (this.filtered?.log !== log || this.filtered.filter !== filter)
			this.filtered = { log, filter, rows: filterLog(log, filter) };
		return this.filtered.rows;
	}

	private row(entry: LogEntry, index: number, here: boolean) {
		const { store } = this;
		const run = this.run;
		const fault = entry.type === "fault" ? entry : undefined;
		const text = whatText(run, entry);
		const frame = fault?.frame;
		return html`<div class="row ${here ? "here" : ""}" role="row" aria-rowindex=${index + 2} aria-current=${here ? "step" : nothing} data-row=${index}>
			<span role="cell" class="mono muted" title=${l10n.t("instruction {0}", count(entry.instret))}>${since(run.start, entry.instret)}</span>
			<span role="cell">${chip(run, entry.pid)} ${entry.process}</span>
			<span role="cell"><button class="link" tabindex=${index === this.cursor ? 0 : -1} @click=${() => this.go(entry, index)}>${text}</button>${fault && !text.includes(fault.address) ? html` <span class="mono muted">${fault.address}</span>` : nothing}</span>
			<span role="cell" data-frame=${frame ?? nothing} @mouseenter=${() => frame !== undefined && relate(frame)} @mouseleave=${() => relate(undefined)}>${this.outcome(entry)}</span>
			<span role="cell">${sourceLink(store, fault?.source)}</span>
		</div>`;
	}

	private outcome(entry: LogEntry) {
		if (entry.type === "fault")
			return isRefused(entry) ? html`${icon("error", "bad")} ${outcomeText(entry)}` : outcomeText(entry);
		return entry.result === undefined ? "" : html`<span class="mono">= ${entry.result}</span>`;
	}

	private go(entry: LogEntry, index: number): void {
		this.cursor = index;
		this.store.go(indexOfEntry(this.run, entry.id));
	}

	private scrolled(event: Event): void {
		this.top = (event.target as HTMLElement).scrollTop;
		this.requestUpdate();
	}

	/** One stop of the Tab key; the arrow keys go from row to row, Right to the line of the sources. */
	private key(event: KeyboardEvent): void {
		const rows = this.filtered?.rows ?? [];
		const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[event.key];
		const to =
			by !== undefined
				? this.cursor + by
				: event.key === "Home"
					? 0
					: event.key === "End"
						? rows.length - 1
						: undefined;
		if (to === undefined) return;
		event.preventDefault();
		event.stopPropagation();
		this.cursor = Math.max(0, Math.min(rows.length - 1, to));
		const box = this.querySelector<HTMLElement>(".log.scrolls");
		if (box) {
			const height = this.store.width < 720 ? cardHeight : rowHeight;
			const at = this.cursor * height;
			if (at < box.scrollTop + height) box.scrollTop = at - height;
			else if (at > box.scrollTop + box.clientHeight - 2 * height) box.scrollTop = at - box.clientHeight + 2 * height;
			this.top = box.scrollTop;
		}
		this.requestUpdate();
		void this.updateComplete.then(() =>
			this.querySelector<HTMLElement>(`[data-row="${this.cursor}"] button.link`)?.focus(),
		);
	}
}
customElements.define("xv6-log", Log);
