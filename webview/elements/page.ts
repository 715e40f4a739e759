import { html, nothing } from "lit";
import type { WriterModel } from "../../src/protocol/history.ts";
import { l10n } from "../l10n.ts";
import { nameOf } from "../model/cards.ts";
import { allPids, type Column } from "../model/columns.ts";
import { hex, pageBytes } from "../model/format.ts";
import type { PageAt } from "../model/memory.ts";
import { pageName, regionStarts } from "../model/rows.ts";
import { pageStory, type StoryLine } from "../model/story.ts";
import { accesses, decidingEntry, type Level, tableLines, type Walk, walk } from "../model/sv39.ts";
import type { Selection } from "../store.ts";
import { chip, icon, Part, roam, sourceLink } from "./part.ts";

const wordsPerPage = 1024;
const shownWords = 4;

/** The newest processes, and the one that is selected: it may have ended long ago. */
function offered(pids: readonly number[], selected: number): readonly number[] {
	const newest = pids.slice(-64);
	return selected === 0 || newest.includes(selected) ? newest : [selected, ...newest];
}

/** What happened to the selected page, and the tables that lead to it. */
class PagePanel extends Part {
	private told:
		| { readonly key: string; readonly events: readonly object[]; readonly lines: readonly StoryLine[] }
		| undefined;
	private addressProblem = "";

	override render() {
		const { store } = this;
		const { selection, selected } = store;
		return html`
			<section class="part side" aria-labelledby="page-title">
				<h2 id="page-title">${l10n.t("What happened to this page?")}</h2>
				${this.chooser(selection)}
				${selection && selected ? this.facts(selection, selected.column, selected.page) : html`<p class="muted">${l10n.t("Select a page, or write an address.")}</p>`}
			</section>`;
	}

	private chooser(selection: Selection | undefined) {
		const run = this.run;
		const pids = allPids(run);
		const pid = selection?.pid ?? pids.at(-1) ?? 0;
		return html`
			<form class="chooser" @submit=${this.submitted}>
				<label>${l10n.t("Process")} <select name="pid">
					${offered(pids, pid).map((one) => html`<option value=${one} .selected=${one === pid}>${nameOf(run, one)}</option>`)}
					<option value="0" .selected=${pid === 0}>${l10n.t("kernel")}</option>
				</select></label>
				<label>${l10n.t("Address")} <input name="address" class="mono" type="text" spellcheck="false" autocomplete="off" placeholder="0x3fffffd000" .value=${selection ? hex(selection.va) : ""}></label>
				<button class="btn" type="submit">${l10n.t("Look up")}</button>
			</form>
			${this.addressProblem ? html`<p class="bad" role="alert">${this.addressProblem}</p>` : nothing}`;
	}

	private submitted(event: SubmitEvent): void {
		event.preventDefault();
		const data = new FormData(event.target as HTMLFormElement);
		const text = String(data.get("address")).trim();
		const pid = Number(data.get("pid"));
		const value = /^(0x)?[0-9a-f]{1,16}$/i.test(text) ? BigInt(text.startsWith("0x") ? text : `0x${text}`) : undefined;
		this.addressProblem =
			value === undefined
				? l10n.t("Write an address in hexadecimal, such as 0x3fffffd028.")
				: value >= 2n ** 38n
					? l10n.t("Sv39 page tables of xv6 end at 0x4000000000 (MAXVA).")
					: "";
		this.requestUpdate();
		if (value === undefined || this.addressProblem) return;
		const va = Math.floor(Number(value) / pageBytes) * pageBytes;
		this.store.select({ pid, va });
		if (pid === 0) void this.store.walkKernel(hex(va));
	}

	private facts(selection: Selection, column: Column, page: PageAt | undefined) {
		const { store } = this;
		const run = this.run;
		if (selection.pid === 0) return this.kernelWalk();
		const starts = regionStarts([column]);
		const content = page?.frame === undefined ? undefined : store.memory?.contents.get(page.frame);
		const live =
			column.life === "ended"
				? l10n.t("ended; as it was last")
				: column.life === "future"
					? l10n.t("not there yet")
					: column.state;
		return html`
			<dl class="facts">
				<dt>${l10n.t("Page")}</dt><dd><b>${page ? pageName(page, starts) : l10n.t("Nothing is mapped here")}</b> <span class="mono">${hex(selection.va)}</span></dd>
				<dt>${l10n.t("Process")}</dt><dd>${chip(run, selection.pid)} ${column.name}, ${live}</dd>
				<dt>${l10n.t("State")}</dt><dd>${this.state(page)}</dd>
				${page?.region ? html`<dt>${l10n.t("Kept in")}</dt><dd class="mono">${page.region.path}</dd>` : nothing}
				${
					content && column.life === "live"
						? html`<dt>${l10n.t("Holds")}</dt><dd><span class="mono">${content.words
								.slice(0, shownWords)
								.map((word) => word.toString(16).padStart(8, "0"))
								.join(
									" ",
								)} …</span>${content.junk === wordsPerPage ? html`<div>${icon("warning", "warn")} ${l10n.t("all 1024 words are kalloc's fill: nobody wrote it")}</div>` : content.junk > 0 ? html`<div>${l10n.t("{0} of 1024 words are kalloc's fill", content.junk)}</div>` : nothing}</dd>`
						: nothing
				}
			</dl>
			<h3>${l10n.t("History")}</h3>
			${this.story(selection)}
			${column.space ? this.walk(column, walk(column.space, selection.va), selection) : nothing}`;
	}

	private state(page: PageAt | undefined) {
		if (!page) return l10n.t("not mapped, and no range of the process is here");
		if (page.frame === undefined)
			return page.state === "lazy" ? l10n.t("lazy: promised, no frame yet") : l10n.t("not mapped");
		const address = Number(this.run.model.memoryBase) + page.frame * pageBytes;
		return html`${l10n.t("frame {0}", page.frame)} <span class="mono">${hex(address)}</span>, <span class="mono">${page.permissions}</span>`;
	}

	private story({ pid, va }: Selection) {
		const { store } = this;
		const run = this.run;
		const key = `${pid} ${va}`;
		if (this.told?.key !== key || this.told.events !== run.events)
			this.told = { key, events: run.events, lines: pageStory(run, pid, va) };
		const { lines } = this.told;
		if (lines.length === 0) return html`<p class="muted">${l10n.t("Nothing was recorded about it.")}</p>`;
		const current = lines.findLastIndex(({ event }) => event <= store.index);
		return html`<ol class="story" @keydown=${this.roamStory}>${lines.map(
			({ event, text, source }, i) => html`<li class="${event === store.index ? "here" : ""}">
				<button class="link" tabindex=${i === Math.max(0, current) ? 0 : -1} title=${l10n.t("Go to event {0}", event + 1)} @click=${() => store.go(event, { select: false })}>${event + 1}</button>
				<span>${text}${source ? html` · ${sourceLink(store, source)}` : nothing}</span></li>`,
		)}</ol>`;
	}

	private roamStory(event: KeyboardEvent): void {
		roam(event, [...this.querySelectorAll<HTMLElement>(".story > li > button")], { ArrowDown: 1, ArrowUp: -1 });
	}

	// ---- the walk ----------------------------------------------------------------------------------------------------------

	private walk(column: Column, found: Walk, selection: Selection) {
		const { levels, stop, page, flags } = found;
		const base = Number(this.run.model.memoryBase);
		const ended = column.life === "ended" ? l10n.t("as they were last") : "";
		return html`
			<h3>${l10n.t("Page-table walk")}<small>${l10n.t("through the tables of {0}", nameOf(this.run, column.pid))} ${ended}</small></h3>
			<div class="bits-row" role="img" aria-label=${l10n.t("{0} is index {1}, {2}, {3}, offset 0", hex(selection.va), ...levels.map(({ index }) => index))}>
				${levels.map(({ level, index }) => html`<div>L${level}<b>${index}</b><span class="binary">${index.toString(2).padStart(9, "0")}</span></div>`)}
				<div>${l10n.t("offset")}<b>0</b><span class="binary">${"0".repeat(12)}</span></div>
			</div>
			<div class="walk">${levels.map((level) => this.table(level))}</div>
			<p class="result">${
				stop
					? html`${icon("error", "bad")} ${stop.why === "not-valid" ? l10n.t("Page fault: V is 0 in entry {0} of the {1} of process {2}", stop.index, tableName(stop.level), column.pid) : l10n.t("The {0} lies outside of RAM", tableName(stop.level))}`
					: html`${icon("pass")} ${l10n.t("frame {0}", Math.floor(((page ?? 0) - base) / pageBytes))}, <span class="mono">${flags}</span>`
			}</p>
			<dl class="accesses" aria-label=${l10n.t("Accesses from user mode")}>${accesses(found).map(({ access, allowed, why }) => html`<div><dt>${access}</dt><dd>${allowed ? html`${icon("pass")} ${l10n.t("works")}` : html`${icon("error", "bad")} ${l10n.t("faults")}: ${why}`}</dd></div>`)}</dl>
			${this.writer(column, found, selection)}`;
	}

	private table(level: Level) {
		const { table } = level;
		return html`<div class="table-page">
			<div class="title">${tableName(level.level)}<span class="mono">${table ? table.address : l10n.t("not reached")}</span></div>
			${tableLines(level).map((line) =>
				"fold" in line
					? html`<div class="entry fold">${l10n.t("{0} more", line.fold)}</div>`
					: html`<div class="entry ${line.hit ? "hit" : ""} ${line.hit && line.flags[0] !== "v" ? "miss" : ""}"><span>${line.index}</span><span>${line.empty ? l10n.t("empty") : line.flags.replaceAll("-", "")}</span></div>`,
			)}
		</div>`;
	}

	private writer(column: Column, found: Walk, selection: Selection) {
		const { store } = this;
		const address = decidingEntry(found);
		if (address === undefined || !store.host.canAskWriter) return nothing;
		const key = `${column.pid} ${selection.va} ${store.index}`;
		const { writer } = store;
		if (writer?.key !== key)
			return html`<button class="btn" @click=${() => store.askWriter(key, hex(address), store.event?.t ?? 0)}>${icon("edit")}${l10n.t("Who wrote this entry?")}</button>`;
		return typeof writer.answer === "string" ? html`<p class="note">${writer.answer}</p>` : this.answer(writer.answer);
	}

	private answer({ hart, instret, address, stack }: WriterModel) {
		return html`<div class="answer" role="status">
			<b>${l10n.t("Who wrote this entry?")}</b>
			<div class="muted">${l10n.t("hart {0}, at instruction {1}, entry at {2}", hart, instret.toLocaleString("en"), address)}</div>
			<ol>${stack.map((call, i) => html`<li>${i > 0 ? l10n.t("called by") : nothing} <code>${call.name}</code> ${sourceLink(this.store, call)}</li>`)}</ol>
		</div>`;
	}

	private kernelWalk() {
		const { kernelWalk } = this.store;
		if (!kernelWalk)
			return html`<p class="muted">${l10n.t("Look up an address in the kernel's own page table, as it is now.")}</p>`;
		return html`
			<h3>${l10n.t("Page-table walk")}<small>${l10n.t("through the kernel's own tables, now")}</small></h3>
			<ol class="steps">${kernelWalk.steps.map((step) => html`<li><b>L${step.level}</b> ${l10n.t("entry {0} at", step.index)} <span class="mono">${step.pteAddress}</span>: <span class="mono">${step.bits}</span>, ${step.meaning}</li>`)}</ol>
			<p class="result">${kernelWalk.faults ? icon("error", "bad") : icon("pass")} ${kernelWalk.result}</p>`;
	}
}
customElements.define("xv6-page", PagePanel);

function tableName(level: number): string {
	return [l10n.t("page table"), l10n.t("middle table"), l10n.t("root table")][level] ?? "";
}
