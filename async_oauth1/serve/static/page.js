// Fetches the requests that are newer than those on the page, twice a second while the page is visible.
"use strict";

const list = document.getElementById("records");
const live = document.getElementById("live");
const MOST = 50;

async function update() {
  const answer = await fetch(`/-/requests?after=${list.dataset.last}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const added = await answer.text();
  list.dataset.last = answer.headers.get("X-Last");
  if (added.trim()) {
    // The provider has escaped everything in it.
    list.insertAdjacentHTML("afterbegin", added);
    document.getElementById("none").hidden = true;
    for (const old of [...list.children].slice(MOST)) old.remove();
  }
  live.textContent = "New requests appear by themselves.";
}

async function follow() {
  try {
    if (!document.hidden) await update();
  } catch {
    live.textContent = "The provider does not answer.";
  }
  setTimeout(follow, 500);
}

follow();
