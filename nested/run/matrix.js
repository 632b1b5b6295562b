/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters of the matrix.  Without it the page shows every rule. */
"use strict";
const rows = [...document.querySelectorAll(".rules tr[data-text]")];
const heads = [...document.querySelectorAll(".rules tbody")];
const form = document.querySelector(".filters");
const count = form.querySelector("output");

function wanted(row, text, area, kinds, marks) {
    return (!area || row.dataset.area === area) &&
        text.every((word) => row.dataset.text.includes(word)) &&
        kinds.some((kind) => row.dataset.kinds.includes(kind)) &&
        marks.every((mark) => row.dataset.marks.includes(mark));
}

/* When few rows are left, what they hide is what was looked for. */
const FEW = 12;

function unfold(shown) {
    for (const row of rows) {
        for (const cell of row.querySelectorAll("details")) {
            cell.open = shown <= FEW && !row.hidden;
        }
    }
}

function filter() {
    const text = form.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const checked = (name) =>
        [...form.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value);
    const kinds = checked("kind"), marks = checked("mark");
    let shown = 0;
    for (const row of rows) {
        row.hidden = !wanted(row, text, form.area.value, kinds, marks);
        shown += !row.hidden;
    }
    for (const head of heads) {
        head.hidden = !head.querySelector("tr[data-text]:not([hidden])");
    }
    unfold(shown);
    count.textContent = `${shown} of ${rows.length} rules`;
    const state = new URLSearchParams(new FormData(form));
    history.replaceState(null, "", `#${state}`);
}

function restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (![...state].length) {
        return;
    }
    form.search.value = state.get("search") || "";
    form.area.value = state.get("area") || "";
    for (const box of form.querySelectorAll("[type=checkbox]")) {
        box.checked = state.getAll(box.name).includes(box.value);
    }
}

form.hidden = false;
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
new ResizeObserver(() => document.documentElement.style.setProperty(
    "--under", `${form.offsetHeight}px`)).observe(form);
restore();
filter();
