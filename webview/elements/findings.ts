import { html, nothing } from "lit";
import { l10n } from "../l10n.ts";
import type { Card, Token } from "../model/cards.ts";
import { count } from "../model/format.ts";
import { chip, icon, ownerClass, Part, relate, sourceLink } from "./part.ts";

/** What is wrong, as cards with their evidence. */
export class Findings extends Part {
	override render() {
		const { cards, run } = this.store;
		const notes = run?.model.notes.findings ?? [];
		return html`
			<section class="part" aria-labelledby="findings-title">
				<h2 id="findings-title">${l10n.t("Findings")}<small>${this.summary()}</small></h2>
				${notes.map((note) => html`<p class="note">${note}</p>`)}
				${cards.length > 0 ? html`<div class="cards">${cards.map((card) => this.card(card))}</div>` : nothing}
			</section>`;
	}

	private summary(): string {
		const { length } = this.store.cards.filter(({ first }) => first !== undefined);
		if (length === 0)
			return l10n.t("none: page tables, frames and reference counts agree wherever they were looked at");
		return length === 1 ? l10n.t("1 in this run") : l10n.t("{0} in this run", length);
	}

	private card(card: Card) {
		const { store } = this;
		const later = card.first !== undefined && card.first > store.index;
		const there =
			card.event !== undefined &&
			card.event === store.index &&
			(!card.page || (card.page.pid === store.selection?.pid && card.page.va === store.selection.va));
		const symbol =
			card.severity === "error"
				? icon("error", "bad")
				: card.severity === "warning"
					? icon("warning", "warn")
					: icon("info");
		return html`
			<article class="card ${card.severity} ${later ? "later" : ""}">
				<h3>${symbol}<span class="title">${card.title}</span>${card.first === undefined ? nothing : html`<button class="link when" title=${l10n.t("Go to its first sighting")} @click=${() => store.go(card.first as number)}>${l10n.t("event {0}", count(card.first + 1))}</button>`}</h3>
				${card.picture.length > 0 ? this.picture(card) : nothing}
				<p>${card.sentence}</p>
				${card.facts.length > 0 ? html`<ul class="facts-list">${card.facts.map((fact) => html`<li>${fact}</li>`)}</ul>` : nothing}
				<div class="acts">
					${card.event === undefined ? nothing : html`<button class="btn" ?disabled=${there} @click=${() => store.show(card)}>${icon("target")}${there ? l10n.t("This is the moment") : l10n.t("Show this moment")}</button>`}
					${card.event !== undefined && store.host.canDebug ? html`<button class="btn" @click=${() => store.debug(store.run?.events[card.event as number]?.t ?? 0)}>${icon("debug-alt")}${l10n.t("Debug here")}</button>` : nothing}
					${card.sources.slice(0, 4).map((source) => html`<span class="place">${icon("go-to-file")} ${sourceLink(store, source)}</span>`)}
				</div>
			</article>`;
	}

	private picture({ picture, sentence }: Card) {
		const columns = Math.max(...picture.map((line) => line.length));
		if (picture.length === 1)
			return html`<div class="picture line" role="img" aria-label=${sentence}>${(picture[0] ?? []).map((token) => this.token(token, 1))}</div>`;
		return html`<div class="picture" role="img" aria-label=${sentence} .style=${`grid-template-columns: repeat(${columns}, auto)`}>
			${picture.map((line) => line.map((token, i) => this.token(token, i === line.length - 1 ? columns - i : 1)))}
		</div>`;
	}

	private token(token: Token, span: number) {
		const run = this.run;
		const wide = span > 1 ? `grid-column: span ${span}` : "";
		switch (token.kind) {
			case "chip":
				return html`<span class="token" .style=${wide}>${chip(run, token.pid)}</span>`;
			case "frame": {
				const { frame, pid } = token;
				const owner = pid === undefined ? "" : `owner ${ownerClass(run, pid)}`;
				if (frame === undefined)
					return html`<span class="box none" .style=${wide} title=${l10n.t("no frame")}>–</span>`;
				return html`<span class="box ${owner}" .style=${wide} data-frame=${frame} @mouseenter=${() => relate(frame)} @mouseleave=${() => relate(undefined)}>${frame}</span>`;
			}
			case "sign":
				return html`<span class="sign ${token.same ? "" : "bad"}" .style=${wide}>${token.same ? "=" : "≠"}</span>`;
			case "arrow":
				return html`<span class="sign" .style=${wide}>→</span>`;
			case "mono":
				return html`<span class="mono" .style=${wide}>${token.text}</span>`;
			case "bad":
				return html`<strong class="bad" .style=${wide}>${token.text}</strong>`;
			case "text":
				return html`<span class="muted" .style=${wide}>${token.text}</span>`;
		}
	}
}
customElements.define("xv6-findings", Findings);
