// SPDX-License-Identifier: BSD-2-Clause
// Events fill the store; buildModel derives from it rows (a stream, or a group without one) and links; the rest draws them.
// What comes from the network becomes text and attributes, never HTML.
"use strict";

// Elements

const $ = (id) => document.getElementById(id);
const {max, min, floor, round} = Math;
const on = (target, kinds, use, options) => kinds.split(" ").forEach((kind) => target.addEventListener(kind, use, options));
const move = (element, y) => (element.style.transform = `translateY(${y}px)`);
const setHeight = (element, height) => (element.style.height = `${height}px`);

/** "tag.class", attributes (on... are listeners), children; strings become text. */
function make(name, attributes, ...children) {
	const [tag, kind] = name.split(".");
	const element = /^(svg|path|g)$/.test(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
	if (kind) element.setAttribute("class", kind);
	if (attributes?.constructor !== Object) children.unshift(attributes);
	else for (const [key, value] of Object.entries(attributes)) {
		if (key.startsWith("on")) on(element, key.slice(2), value);
		else if (value || value === 0) element.setAttribute(key, value);
	}
	element.append(...children.flat().filter(Boolean));
	return element;
}

function text(element, value) {
	if (element.textContent !== value) element.textContent = value;
}

function set(element, name, value) {
	if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Makes the children if what they show has changed. */
function replace(element, content, children) {
	content = JSON.stringify(content);
	if (element.shows === content) return;
	element.shows = content;
	element.replaceChildren(...children().flat().filter(Boolean));
}

const MARKS = {
	error: "M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3zM8 4.6v4M8 11.2v.2",
	warning: "M8 1.8l6.6 12.4H1.4zM8 6.4v3.6M8 12v.2",
	ok: "M2.5 8.5l3.7 3.8 7.3-8.4",
	fail: "M3.5 3.5l9 9M12.5 3.5l-9 9",
	skipped: "M3 8h10",
};
const spark = (width, height, more) => make("svg.spark", {viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", ...more || {"aria-hidden": "true"}});
const mark = (name) => make("svg.mark", {viewBox: "0 0 16 16", "aria-hidden": "true"}, make("path", {d: MARKS[name]}));

// Texts

const number = new Intl.NumberFormat("en").format;
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

function scaled(value, unit) {
	const power = min(4, max(0, floor(Math.log10(value || 1) / 3)));
	const digits = value / 1000 ** power;
	return `${digits.toFixed(power && digits < 100 ? (digits < 10 ? 2 : 1) : 0)} ${["", "k", "M", "G", "T"][power]}${unit}`;
}

const bits = (rate) => scaled(rate, "bit/s");

function duration(seconds) {
	const s = max(0, round(seconds));
	if (s < 120) return `${s} s`;
	if (s < 7200) return `${floor(s / 60)} min`;
	return s < 172800 ? `${floor(s / 3600)} h` : `${floor(s / 86400)} d`;
}

const some = (words, most = 4) => words.length > most ? `${words.slice(0, most - 1).join(", ")} and ${words.length - most + 1} more` : words.join(", ");

// Addresses

const KNOWN = {"239.255.255.250": "SSDP", "ff02::c": "SSDP", "ff05::c": "SSDP", "224.0.1.1": "NTP", "224.0.1.129": "PTP", "224.2.127.254": "SAP",
	"239.255.255.255": "SAP", "224.0.23.12": "KNX"};
const nameOf = (address) => store.names[address] || KNOWN[address] || "";
const named = (address) => nameOf(address) ? `${nameOf(address)} (${address})` : address;
const cache = new Map();

/** 32 hexadecimal digits, for IPv4 ::ffff:a.b.c.d; "" for what is no address. */
function hex(address) {
	let digits = cache.get(address);
	if (digits !== undefined) return digits;
	digits = "";
	const v4 = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
	if (v4) digits = "0".repeat(20) + "ffff" + v4.slice(1).map((byte) => (byte & 255).toString(16).padStart(2, "0")).join("");
	else if (/^[0-9a-f]*:[0-9a-f:]+$/i.test(address)) {
		const [start, end] = address.split("::").map((part) => part ? part.split(":").map((word) => word.padStart(4, "0")) : []);
		digits = [...start, ...Array(max(0, 8 - start.length - (end || []).length)).fill("0000"), ...end || []].join("");
	}
	if (cache.size > 100000) cache.clear();
	cache.set(address, digits);
	return digits;
}

/** A test for addresses in "239.1.0.0/16"; null for what is no prefix. */
function prefixTest(word) {
	const [address, length] = word.split("/");
	const digits = hex(address);
	if (digits.length !== 32 || !/^\d+$/.test(length || "")) return null;
	const drop = BigInt(max(0, (address.includes(":") ? 128 : 32) - length));
	const top = (other) => BigInt("0x" + other) >> drop;
	return (other) => hex(other).length === 32 && top(hex(other)) === top(digits);
}

// Store: the lists of the control socket, by key

const LISTS = ["instances", "links", "groups", "routes", "upstream", "filters", "findings"];
const store = {status: {}, denials: new Map(), names: {}};
for (const name of LISTS) store[name] = new Map();

const all = (name) => [...store[name].values()];
let clock = 0; // the server's time minus ours, in seconds
let frozen = 0; // the time of the last news while the daemon or the server is away
const now = () => frozen || Date.now() / 1000 + clock;

function put(name, object, time) {
	object.heard = time;
	store[name].set(object.key, object);
	if (name === "routes") measure(object, time);
}

function applySnapshot(data) {
	fetch("api/names").then((answer) => answer.json()).then(({names}) => (store.names = names || {}, later("model")), () => {});
	store.status = {...data.status, heard: data.time};
	for (const name of LISTS) {
		store[name].clear();
		for (const object of data[name] || []) put(name, object, data.time);
	}
	for (const key of histories.keys()) if (!store.routes.has(key)) histories.delete(key);
	later("model");
}

function applyChange(data) {
	let shape = false;
	if (data.status) store.status = {...data.status, heard: data.time};
	for (const name of LISTS) {
		const {set: objects = [], gone = []} = data[name] || {};
		for (const key of gone) {
			store[name].delete(key);
			if (name === "routes") histories.delete(key);
		}
		for (const object of objects) {
			const row = rowsByRoute.get(object.key);
			const shapeOf = (route) => String([route.input, route.copy_input, route.hosts, route.outputs, "", route.yielded]);
			if (name !== "routes" || !row || shapeOf(row.route) !== shapeOf(object)) shape = true;
			else row.route = object;
			put(name, object, data.time);
		}
		shape = shape || gone.length > 0;
	}
	later(shape || data.status ? "model" : "draw");
}

const DENIAL_LASTS = 120;

/** An event of the daemon: a join that a filter denied or a limit refused, which is in no list. */
function applyRefusal(event) {
	const key = [event.instance, event.link, event.group, event.cause].join(" ");
	const from = store.denials.get(key)?.from || new Set();
	if (event.host) from.add(event.host);
	store.denials.delete(key);
	store.denials.set(key, {...event, key, from, heard: event.time});
	if (store.denials.size > 500) store.denials.delete(store.denials.keys().next().value);
	later("model");
}

// Histories: two minutes of each stream

const SECONDS = 120;
const histories = new Map(); // by the key of the route

class History {
	constructor() {
		this.rates = new Float32Array(SECONDS);
		this.first = this.last = this.time = this.interval = this.rate = 0;
	}

	/** The rate in all seconds since the last call. */
	add(time, rate) {
		const second = floor(time);
		this.first ||= second;
		for (let s = max((this.last || second - 1) + 1, second - SECONDS + 1); s <= second; s++) this.rates[s % SECONDS] = rate;
		this.last = second;
		this.rate = rate;
		this.time = time;
	}

	at(second) {
		if (second < this.first || second <= this.last - SECONDS) return NaN;
		return second <= this.last ? this.rates[second % SECONDS] : second - this.last <= this.patience() ? this.rate : 0;
	}

	patience() {
		return min(30, max(3, 2.5 * this.interval));
	}

	current() {
		return now() - this.time > this.patience() ? 0 : this.rate;
	}

	peak() {
		const end = floor(now());
		let most = 0;
		for (let s = end - SECONDS + 1; s <= end; s++) most = max(most, this.at(s) || 0);
		return most;
	}
}

/** Between two objects passes the difference of their ages: that is when the daemon read the counters. */
function measure(route, time) {
	let history = histories.get(route.key);
	const {age, bytes, bit_rate: rate} = route, passed = age - history?.age;
	if (!history || passed < 0) histories.set(route.key, history = Object.assign(history || new History(), {time, age, bytes, rate}));
	if (bytes === history.bytes || passed < 0.4) return;
	const before = history.current(), measured = (bytes - history.bytes) * 8 / passed;
	history.add(time, Math.abs(measured - before) < before / 2 ? (measured + before) / 2 : measured);
	Object.assign(history, {age, bytes, interval: passed});
}

/** Area and line of a history. */
function drawSpark(svg, history) {
	const {width, height} = svg.viewBox.baseVal;
	if (!svg.firstChild) svg.append(make("path"), make("path"));
	const end = floor(now());
	const scale = (height - 3) / (history?.peak() || 1);
	let line = "", from = 0, to = 0;
	for (let i = 0; history?.first && i < SECONDS; i++) {
		const rate = history.at(end - SECONDS + 1 + i);
		if (Number.isNaN(rate)) continue;
		to = (i * width / (SECONDS - 1)).toFixed(1);
		if (!line) from = to;
		line += `${line ? "L" : "M"}${to},${(height - 1.5 - rate * scale).toFixed(1)}`;
	}
	svg.lastChild.setAttribute("d", line);
	svg.firstChild.setAttribute("d", line && `${line}V${height}H${from}Z`);
}

// Model: rows and links

let rows = new Map(); // by key
let links = new Map(); // by "upstream eth0" or "downstream eth1"
const rowsByRoute = new Map();
let ready = false;
const total = new History();

const isUp = (instance, link) => Boolean(links.get("upstream " + link)?.instances.has(instance));
const linkAt = (instance, link) => links.get((isUp(instance, link) ? "upstream " : "downstream ") + link);

function buildLinks() {
	let colour = 0;
	links = new Map();
	for (const link of store.links.values()) {
		const key = link.role + " " + link.link;
		let entry = links.get(key);
		if (!entry) {
			entry = {key, name: link.link, up: link.role === "upstream", instances: new Set(), families: [], hosts: new Map(), groups: 0};
			entry.colour = entry.up ? `c${colour++ % 4}` : "c5";
			links.set(key, entry);
		}
		entry.instances.add(link.instance);
		entry.families.push(link);
		entry.problem ||= linkProblem(link);
	}
}

function linkProblem(link) {
	if (link.not_served) return `${link.not_served} holds multicast routing of ${link.family}`;
	if (!link.present) return "the interface does not exist";
	if (!link.up) return "the link is down";
	return link.usable ? "" : `not usable with ${link.family}: no address`;
}

function buildModel() {
	buildLinks();
	const wanted = new Map(); // by instance and group: who wants it
	for (const group of store.groups.values()) {
		const key = group.instance + " " + group.group;
		let want = wanted.get(key);
		if (!want) wanted.set(key, want = {instance: group.instance, group: group.group, links: [], names: [], hosts: new Set(), served: false});
		want.links.push(group);
		want.names.push(group.link);
		const link = links.get("downstream " + group.link);
		if (link) link.groups++;
		for (const {host} of group.members) {
			want.hosts.add(host);
			link?.hosts.set(host, (link.hosts.get(host) || 0) + 1);
		}
	}
	const before = rows;
	const addRow = (key, from, want, members) => {
		const row = before.get(key) || {key, instance: from.instance, group: from.group, order: hex(from.group), born: ready ? now() : 0};
		const hosts = want ? want.hosts.size || max(...want.links.map((group) => group.hosts)) : 0;
		rows.set(key, Object.assign(row, {source: from.source || "", route: null, denial: null, history: null, want, hosts, haystack: "", ...members}));
		return row;
	};
	rows = new Map();
	rowsByRoute.clear();
	for (const route of store.routes.values()) {
		const want = wanted.get(route.instance + " " + route.group);
		if (want && route.outputs.length + route.yielded.length) want.served = true;
		rowsByRoute.set(route.key, addRow(`${route.instance} ${route.group} ${route.source}`, route, want, {route, history: histories.get(route.key)}));
	}
	for (const [key, want] of wanted) if (!want.served) addRow(key + " ", want, want);
	for (const [key, denial] of store.denials) {
		const joined = wanted.get(denial.instance + " " + denial.group)?.names.includes(denial.link);
		if (joined || now() - denial.heard > DENIAL_LASTS) store.denials.delete(key);
		else if (denial.group) addRow(`${denial.instance} ${denial.group} !${denial.link}`, denial, null, {denial});
	}
	ready = true;
}

const STATES = {flows: "flows", silent: "no packets now", unwanted: "no host wants it", yielded: "another router forwards it", waits: "no stream arrives",
	denied: "denied", refused: "refused"};

function stateOf(row) {
	if (row.denial) return row.denial.cause ? "refused" : "denied";
	if (!row.route) return "waits";
	if (!row.route.outputs.length) return row.route.yielded.length ? "yielded" : "unwanted";
	return rateOf(row) ? "flows" : "silent";
}

const rateOf = (row) => row.history ? row.history.current() : 0;
const since = (object, name) => object[name] + now() - object.heard;

function ageOf(row) {
	if (row.denial) return now() - row.denial.heard;
	return row.route ? since(row.route, "age") : max(...row.want.links.map((group) => since(group, "age")));
}

function reasonOf(denial) {
	if (denial.cause) return denial.cause;
	const rule = all("filters").find((other) => other.instance === denial.instance && other.link === denial.link &&
		(other.line || 0) === denial.line && other.rule.startsWith("deny"));
	return rule ? `filter_${rule.direction} of ${rule.link}: “${rule.rule}”${rule.file ? ` (${rule.file}:${rule.line})` : ""}` : denial.line ? `the filter rule in line ${denial.line}` : "no filter rule allows it";
}

const touches = (row, link) => Boolean(link) && (row.denial ? row.denial.link === link.name
	: row.route?.input === link.name || row.route?.outputs.includes(link.name) || (!link.up && row.want?.names.includes(link.name)));

function haystack(row) {
	if (!row.haystack) {
		const hosts = [...row.want?.hosts || row.denial?.from || []];
		row.haystack = [row.group, nameOf(row.group), row.source, nameOf(row.source), row.instance, row.route?.input, row.route?.outputs,
			row.want?.names, row.denial?.link, stateOf(row), hosts, hosts.map(nameOf)].flat().filter(Boolean).join(" ").toLowerCase();
	}
	return row.haystack;
}

// View: which rows, in which order

let view = [];
const choice = {search: "", show: "", sort: "group", down: false, link: "", host: ""};

function buildView() {
	const anchor = view[floor(pane.scrollTop / ROW)], offset = pane.scrollTop % ROW;
	const words = choice.search.toLowerCase().split(/\s+/).filter(Boolean).map((word) => [word, prefixTest(word)]);
	const states = new RegExp(choice.show);
	const fits = (row) => states.test(stateOf(row)) && (!choice.link || touches(row, links.get(choice.link))) &&
		(!choice.host || row.source === choice.host || row.want?.hosts.has(choice.host) || row.denial?.from.has(choice.host)) &&
		words.every(([word, inside]) => inside ? inside(row.group) || inside(row.source) : haystack(row).includes(word));
	view = [...rows.values()].filter(fits);
	const {sort, down} = choice;
	for (const row of view) row.value = sort === "rate" ? rateOf(row) : sort === "age" ? ageOf(row) : sort === "hosts" ? row.hosts : row.order;
	const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0;
	view.sort((a, b) => (down ? compare(b.value, a.value) : compare(a.value, b.value)) || compare(a.order, b.order) || compare(hex(a.source), hex(b.source)));
	text($("count"), `${view.length === rows.size ? "" : `${number(view.length)} of `}${number(rows.size)}`);
	setHeight(tbody, view.length * ROW);
	set(grid, "aria-rowcount", view.length + 1);
	empty.hidden = view.length > 0;
	text(empty, ready ? "No streams, and no groups." : "Waiting for the server …");
	const index = pane.scrollTop ? view.indexOf(anchor) : -1;
	if (index >= 0) pane.scrollTop = index * ROW + offset;
	layout();
}

// List: the rows that are visible

const ROW = 44, HEAD = 30;
const pane = $("list"), grid = pane.firstElementChild, tbody = grid.tBodies[0], empty = $("empty");
const shown = new Map(); // by key: lines of the table
const spare = [];
let active = ""; // the key of the row that Tab reaches

function newLine() {
	const line = {address: make("span"), known: make("i"), spark: spark(160, 30, {role: "img"})};
	for (const name of ["group", "path", "age", "trend", "hosts", "rate"]) line[name] = make(`td.${name}`, {role: "gridcell"});
	line.group.append(line.address, line.known);
	line.trend.append(line.spark);
	line.element = make("tr", {role: "row"}, line.group, line.path, line.age, line.trend, line.hosts, line.rate);
	line.element.line = line;
	return line;
}

function pathOf(row) {
	const {denial, route} = row;
	if (denial) return [make("b", stateOf(row)), ` on ${denial.link} for ${some([...denial.from].map(named), 2)}: ${reasonOf(denial)}`];
	if (!route) return [make("em", STATES.waits), ` → ${some(row.want.names)}`];
	return [`${named(route.source)} · ${route.input || "?"} → `, some(route.outputs) || (route.yielded.length ? "" : STATES.unwanted),
		route.yielded.length ? make("em", ` another router forwards it to ${some(route.yielded)}`) : "", route.copy_input ? make("em", ` · a copy arrives on ${route.copy_input}`) : ""];
}

function bindLine(line, row, index) {
	const {element} = line, half = floor(now() * 2);
	if (line.row !== row || line.version !== version) {
		Object.assign(line, {row, version, half: 0});
		text(line.address, row.group);
		text(line.known, [nameOf(row.group), store.instances.size > 1 ? row.instance : ""].filter(Boolean).join(" · "));
		line.path.replaceChildren(...pathOf(row));
		line.path.title = line.path.textContent;
		text(line.hosts, row.hosts ? number(row.hosts) : "–");
	}
	if (line.index !== index) {
		line.index = index;
		move(element, index * ROW);
		set(element, "aria-rowindex", index + 2);
	}
	if (line.half === half) return;
	line.half = half;
	const rate = rateOf(row);
	text(line.age, duration(ageOf(row)));
	text(line.rate, rate ? bits(rate) : row.denial ? stateOf(row) : row.route ? "silent" : "no stream");
	set(line.rate, "class", `rate ${row.denial ? "bad" : rate ? "" : "soft"}`);
	drawSpark(line.spark, row.history);
	set(line.spark, "aria-label", row.history ? `peak ${bits(row.history.peak())}` : "no data");
	element.style.setProperty("--width", `${widthOf(row)}px`);
	set(element, "class", `${row.born && now() - row.born < 2.5 ? "new" : ""} ${row.denial ? "refused" : ""} ${colourOf(row)}`);
}

function drawList() {
	const first = max(0, floor(pane.scrollTop / ROW) - 1);
	const last = min(view.length - 1, Math.ceil((pane.scrollTop + pane.clientHeight) / ROW));
	const visible = view.slice(first, last + 1), keys = new Set(visible.map((row) => row.key));
	const focused = document.activeElement?.line;
	for (const [key, line] of shown) {
		if (keys.has(key) || (line === focused && view.includes(line.row))) continue; // the focus stays on a row that is scrolled away
		if (line === focused) setTimeout(focusRow, 0, line.index);
		shown.delete(key);
		line.element.remove();
		spare.push(line);
	}
	visible.forEach((row, i) => {
		let line = shown.get(row.key);
		if (!line) shown.set(row.key, line = spare.pop() || newLine());
		const place = tbody.children[i]; // a screen reader follows the order of the elements
		if (place !== line.element && line !== focused) tbody.insertBefore(line.element, place || null);
		bindLine(line, row, first + i);
	});
	if (!shown.has(active)) active = visible[0]?.key;
	for (const [key, line] of shown) line.element.tabIndex = key === active ? 0 : -1;
	return [first, last];
}

function focusRow(index) {
	if (!view.length) return;
	index = max(0, min(view.length - 1, index));
	const top = index * ROW, room = pane.clientHeight - HEAD;
	if (top < pane.scrollTop) pane.scrollTop = top;
	else if (top + ROW > pane.scrollTop + room) pane.scrollTop = top + ROW - room;
	active = view[index].key;
	draw();
	shown.get(active).element.focus({preventScroll: true});
}

function listKey(event) {
	const {line} = event.target, page = floor((pane.clientHeight - HEAD) / ROW) - 1;
	const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -view.length, End: view.length};
	if (!line) return;
	if (event.key in steps) focusRow(line.index + steps[event.key]);
	else if (event.key === "Enter" || event.key === " ") openDetail(line.row);
	else return;
	event.preventDefault();
}

// Trees: links, and the bands between them and the rows

const WIDEST = 20;
let scaleRate = 1e6; // the bit rate of a band of that width
let hot = null; // the row or the link below the mouse or with the focus
const sides = {up: {box: $("upstream"), svg: $("bands-up"), cards: [], paths: []}, down: {box: $("downstream"), svg: $("bands-down"), cards: [], paths: []}};
for (const side of Object.values(sides)) side.svg.append(make("g"));
const narrow = matchMedia("(max-width: 900px)");

const widthOf = (row) => rateOf(row) && max(1.5, rateOf(row) / scaleRate * WIDEST);
const colourOf = (row) => linkAt(row.instance, row.route?.input)?.colour || "c4";

function setScale() {
	let most = 1000;
	for (const row of rows.values()) most = max(most, rateOf(row));
	if (most <= scaleRate && most > scaleRate / 5) return;
	const power = 10 ** floor(Math.log10(most));
	scaleRate = power * [1, 2, 5, 10].find((step) => step * power >= most);
}

function drawLegend() {
	const sample = (kind, height, label) => {
		const line = make("i", {class: kind});
		setHeight(line, height);
		return make("span", line, label);
	};
	const ups = [...links.values()].filter((link) => link.up).slice(0, 4);
	replace($("legend"), [scaleRate, ups.map((link) => link.name)], () => ["width is the bit rate:", sample("c4", WIDEST, bits(scaleRate)), sample("c4", WIDEST / 4, bits(scaleRate / 4)),
		ups.map((link) => sample(link.colour, 8, `from ${link.name}`)), sample("c5", 8, "◂ from a downstream link"), sample("dash", 0, "wanted, no stream"), sample("no", 2, "join denied")]);
}

/** The lines of a link's card: [text, class]. */
function cardLines(link) {
	const lines = link.families.filter((family) => !linkProblem(family)).map((family) => [`${family.version} · ${querierOf(family)}`]);
	return link.problem ? [[`✕ ${link.problem}`, "bad"], ...lines] : lines;
}

function querierOf(link) {
	let querier = link.querier;
	if (link.role === "upstream") querier = all("upstream").find((other) => other.link === link.link && other.family === link.family)?.querier;
	return link.this_router_is_querier ? "querier: this router" : querier ? `querier ${querier}` : "no querier";
}

/** Gives both columns of cards the height of the list, or the list the height of the cards. */
function layout() {
	const lists = {up: [], down: []};
	for (const link of links.values()) lists[link.up ? "up" : "down"].push({link, lines: cardLines(link), hosts: 0});
	const need = (list) => list.reduce((sum, item) => sum + 46 + 17 * (item.lines.length + min(8, item.link.hosts.size)), 0);
	const wanted = narrow.matches ? 0 : max(need(lists.up), need(lists.down));
	const height = min(max(420, round(innerHeight * 0.74)), max(HEAD + 2 + (view.length * ROW || 180), wanted));
	setHeight($("trees"), height);
	if (!narrow.matches) for (const name in sides) placeCards(sides[name], lists[name], height);
}

function placeCards(side, list, height) {
	const most = floor(height / 44);
	let rest = 0;
	if (list.length > most) { // the links with problems, then those with most groups
		const worth = ({link}) => (link.problem ? 1e9 : 0) + link.groups;
		rest = list.length - most + 1;
		list = list.sort((a, b) => worth(b) - worth(a)).slice(0, most - 1);
	}
	const heightOf = (item) => 34 + 17 * (item.lines.length + item.hosts + (item.hosts && item.hosts < item.link.hosts.size ? 1 : 0));
	const left = () => list.reduce((sum, item) => sum - heightOf(item) - 10, height - (rest ? 40 : 0));
	if (left() < 0) for (const item of list) item.lines = [];
	[...list].sort((a, b) => a.link.hosts.size - b.link.hosts.size).forEach((item, i) => {
		const share = floor(left() / (list.length - i) / 17), {size} = item.link.hosts;
		item.hosts = size <= share ? size : max(0, share - 1);
	});
	if (rest) list.push({link: {key: "rest", name: `${number(rest)} more links`, hosts: new Map()}, lines: [], hosts: 0});
	const slack = left() / list.length;
	let top = 0;
	const old = side.cards;
	side.cards = list.map((item) => {
		const card = old.find((other) => other.key === item.link.key) || newCard(side, item.link.key);
		const size = heightOf(item);
		fillCard(card, item);
		card.slot = size + 10 + slack;
		card.centre = top + card.slot / 2;
		move(card.element, round(card.centre - size / 2));
		setHeight(card.element, size);
		top += card.slot;
		return card;
	});
	for (const card of old) if (!side.cards.includes(card)) card.element.remove(), card.node.remove();
}

function newCard(side, key) {
	const card = {key, element: make("div.card"), node: make("div.node")};
	on(card.element, "mouseenter focusin", () => setHot(links.get(key)));
	on(card.element, "mouseleave focusout", () => setHot());
	side.box.append(card.element, card.node);
	return card;
}

function fillCard(card, {link, lines, hosts}) {
	const names = [...link.hosts.keys()].sort((a, b) => hex(a) < hex(b) ? -1 : 1).slice(0, hosts), more = link.hosts.size - hosts;
	const pick = (kind, value, label) => make("button", {"aria-pressed": String(choice[kind] === value), title: `only ${label}`,
		onclick: () => choose(kind, choice[kind] === value ? "" : value)}, label);
	replace(card.element, [link.name, lines, names.map((host) => [host, nameOf(host), link.hosts.get(host)]), more, choice.link, choice.host], () => {
		card.load = make("span.soft");
		card.hosts = names.map((host) => make("li", {title: named(host)}, pick("host", host, nameOf(host) || host), make("span", plural(link.hosts.get(host), "group"))));
		card.names = names;
		return [make("h3", card.key === "rest" ? link.name : pick("link", link.key, link.name), card.load), lines.map(([line, kind]) => make("p", {class: kind, title: line}, line)),
			hosts && make("ul", {"aria-label": `hosts on ${link.name}`}, card.hosts, more && make("li", `and ${plural(more, "more host")}`))];
	});
	card.element.classList.toggle("broken", Boolean(link.problem));
	set(card.node, "class", `node ${link.up ? link.colour : "c4"}`);
}

function drawLoads() {
	const loads = new Map();
	for (const row of rows.values()) {
		const rate = rateOf(row);
		if (rate) for (const name of [row.route.input, ...row.route.outputs]) {
			const key = linkAt(row.instance, name)?.key;
			loads.set(key, (loads.get(key) || 0) + rate);
		}
	}
	for (const card of [...sides.up.cards, ...sides.down.cards]) text(card.load, loads.has(card.key) ? bits(loads.get(card.key)) : "");
}

/** Calls add(link, class, whether it runs from right to left) for each band of a row. */
function eachBand(row, add) {
	const {route} = row, at = (name) => linkAt(row.instance, name);
	if (row.denial) add(at(row.denial.link), "no");
	else if (!route) for (const name of row.want.names) add(at(name), "thin");
	else {
		const kind = rateOf(row) ? colourOf(row) : "thin";
		add(at(route.input), kind, !isUp(row.instance, route.input));
		for (const name of route.outputs) add(at(name), kind, isUp(row.instance, name));
		for (const name of route.yielded) add(at(name), "thin");
	}
}

function drawBands(first, last) {
	const height = pane.clientHeight, at = new Map();
	for (const side of Object.values(sides)) {
		side.width = side.svg.clientWidth;
		side.used = 0;
		for (const card of side.cards) {
			card.ends = [];
			at.set(side.box.id + card.key, card);
		}
	}
	for (let i = first; i <= last; i++) {
		const row = view[i], top = HEAD + i * ROW - pane.scrollTop;
		const part = (min(top + ROW, height) - max(top, HEAD)) / ROW; // a row at the edge takes less room at the links
		if (part > 0) eachBand(row, (link, kind, back) => {
			const id = link?.up ? "upstream" : "downstream", line = kind === "thin" || kind === "no";
			const card = link && (at.get(id + link.key) || at.get(id + "rest"));
			card?.ends.push({row, link, kind, back, line, part, y: top + ROW / 2 + 1, width: line ? 2 : widthOf(row)});
		});
	}
	for (const [name, side] of Object.entries(sides)) {
		for (const card of side.cards) {
			const sum = card.ends.reduce((width, end) => width + end.part * end.width + 1, 0);
			const shrink = min(1, (card.slot - 14) / sum), size = max(sum * shrink || 0, 16);
			let y = card.centre - sum * shrink / 2;
			setHeight(card.node, size);
			move(card.node, card.centre - size / 2);
			for (const end of card.ends) {
				const next = y + (end.part * end.width + 1) * shrink;
				drawBand(side, name === "up", y, next - shrink, end);
				y = next;
			}
			light(card.element, card.ends.some((end) => end.row === hot));
			card.hosts.forEach((item, i) => light(item, hot?.want?.hosts.has(card.names[i])));
		}
		for (const path of side.paths.slice(side.used)) set(path, "d", "");
	}
	light($("trees"), hot);
	for (const line of shown.values()) light(line.element, line.row === hot || (hot?.families && touches(line.row, hot)));
}

const light = (element, lit) => element.classList.toggle("lit", Boolean(lit));

function drawBand(side, up, top, bottom, end) {
	const half = side.width / 2, [card, row] = up ? [0, side.width] : [side.width, 0], middle = (top + bottom) / 2;
	const lit = end.row === hot || end.link === hot ? " lit" : "";
	const curve = (from, a, to, b) => `${from},${a.toFixed(1)}C${half},${a.toFixed(1)} ${half},${b.toFixed(1)} ${to},${b.toFixed(1)}`;
	const path = (d, kind) => {
		if (!side.paths[side.used]) side.svg.firstChild.append(side.paths[side.used] = make("path"));
		side.paths[side.used].setAttribute("d", d);
		set(side.paths[side.used++], "class", kind + lit);
	};
	if (end.line) return path(`M${curve(card, middle, row, end.y)}`, end.kind);
	path(`M${curve(card, top, row, end.y - end.width / 2)}L${curve(row, end.y + end.width / 2, card, bottom)}Z`, end.kind);
	if (end.back) path(`M${half + 4},${(middle + end.y) / 2 - 5}l-8,5l8,5Z`, "arrow");
}

function setHot(what = null) {
	if (hot === what) return;
	hot = what;
	later("draw");
}

function choose(name, value) {
	choice[name] = value;
	const chips = [["link", choice.link.replace(/^\w+ /, "")], ["host", nameOf(choice.host) || choice.host]].filter(([, label]) => label);
	$("chips").replaceChildren(...chips.map(([kind, label]) => make("button.chip", {"aria-label": `remove: only ${kind} ${label}`, onclick: () => choose(kind, "")}, `${kind} ${label} ✕`)));
	pane.scrollTop = 0;
	later("view");
}

// Problems

let known = new Map(); // by id: the texts that were announced
let allProblems = false;

function problems() {
	const found = [], findings = all("findings").filter((finding) => finding.severity !== "note");
	const add = (id, subject, what, why, remedy, severity = "error") => found.push({id, severity, subject, what, why, remedy});
	for (const {name, up, problem} of links.values())
		if (problem && !findings.some((finding) => finding.check === "links" && finding.subject === name))
			add(`links ${name}`, name, `${problem} (${up ? "upstream" : "downstream"} link)`, up ? "no stream arrives by it" : "hosts on it receive no streams");
	for (const {check, severity, subject, what, why, remedy} of findings) add(`${check} ${subject} ${what.replace(/\d+/g, "")}`, subject, what, why, remedy, severity);
	for (const {key, link, group, from, cause, ...denial} of store.denials.values()) {
		const by = from.size ? ` by ${some([...from].map(named), 3)}` : "";
		add(`denied ${key}`, link, `the join${group ? ` of ${group}` : ""}${by} is ${cause ? "refused" : "denied"}`, reasonOf({link, cause, ...denial}));
	}
	return found.sort((a, b) => a.severity < b.severity ? -1 : a.severity > b.severity ? 1 : 0);
}

function drawProblems() {
	if (!ready) return;
	const found = problems(), box = $("problems"), most = allProblems ? 200 : 6, button = $("all-problems");
	const items = box.children[1], open = new Set([...items.querySelectorAll("[open]")].map((element) => element.id));
	box.classList.toggle("clear", !found.length);
	text($("problems-title"), found.length ? plural(found.length, "problem") : "✓ No problems");
	replace(items, [found, most], () => found.slice(0, most).map((problem) => {
		const {id, severity, subject, what, why, remedy} = problem, head = [mark(severity), make("b", make("span.unseen", `${severity}: `), subject), ` ${what}`];
		const more = [why && make("p.soft", why), remedy && make("p", "→ ", remedy)];
		return make("li", {class: severity}, ...severity === "error" ? [make("p", head), ...more]
			: [make("details", {id: `problem ${id}`, open: open.has(`problem ${id}`) && "open"}, make("summary", head), ...more)]);
	}));
	button.hidden = found.length <= 6;
	text(button, allProblems ? "Show fewer" : "Show all");
	const current = new Map(found.map((problem) => [problem.id, `${problem.subject}: ${problem.what}`]));
	const only = (a, b, word) => [...a].filter(([id]) => !b.has(id)).map(([, line]) => `${word}: ${line}`);
	const news = [...only(current, known, "Problem"), ...only(known, current, "Solved")];
	if (news.length) $("spoken").textContent = some(news, 3);
	known = current;
	document.title = found.length ? `(${found.length}) mcproxy` : "mcproxy";
}

// The other parts

function drawTotals() {
	const {status} = store, wants = new Set(), hosts = new Set();
	let rate = 0, flowing = 0;
	for (const row of rows.values()) {
		rate += rateOf(row);
		if (rateOf(row)) flowing++;
		if (row.want) wants.add(row.want);
	}
	for (const want of wants) for (const host of want.hosts) hosts.add(host);
	if (!frozen) total.add(now(), rate);
	const box = $("totals"), words = ["streams flow", "in all", "groups wanted", "without a stream", "hosts"];
	if (!box.firstChild) box.append(...words.map((word) => make("div", make("dt", word), make("dd"))), spark(160, 22));
	[number(flowing), bits(rate), number(wants.size), number([...wants].filter((want) => !want.served).length), hosts.size ? number(hosts.size) : "–"]
		.forEach((value, i) => text(box.children[i].lastChild, value));
	drawSpark(box.lastChild, total);
	text($("about"), [status.program_version, status.configuration, status.uptime && `up ${duration(since(status, "uptime"))}`].filter(Boolean).join(" · "));
}

/** Fills a table; a column is [title, class], a cell a text or [text, class]. */
function drawTable(table, columns, lines) {
	replace(table, lines, () => [make("thead", make("tr", columns.map(([title, kind]) => make("th", {scope: "col", class: kind}, title)))),
		make("tbody", lines.map((cells) => make("tr", cells.map((cell, i) => {
			const [value, kind] = [cell, ""].flat();
			return make(i ? "td" : "th", {scope: i ? "" : "row", class: `${columns[i][1] || ""} ${kind}`}, String(value));
		}))))]);
}

function drawLinks() {
	const lines = all("links").slice(0, 400).map((link) => {
		const problem = linkProblem(link), reason = link.querier_reason && !link.this_router_is_querier ? `, as ${link.querier_reason}` : "";
		return [link.link, link.role + (store.instances.size > 1 ? ` of ${link.instance}` : ""), link.version || "", problem ? [`✕ ${problem}`, "bad"] : "✓ in use",
			link.address || "", problem ? "" : querierOf(link) + reason, link.groups || 0, link.routes || 0,
			link.counters?.reports || 0, Object.entries(link.drops || {}).map(([cause, count]) => `${cause}: ${number(count)}`).join("; ")];
	});
	drawTable($("links-table"), [["Link"], ["Role"], ["Protocol"], ["State"], ["Address"], ["Querier", "long"], ["Groups", "number"], ["Streams in", "number"], ["Reports", "number"], ["Ignored", "long"]], lines);
}

function drawFilters() {
	const rules = all("filters"), most = 300;
	$("filters").hidden = !rules.length;
	drawTable($("filters-table"), [["Filter"], ["Rule", "number"], ["Text"], ["Reports", "number"], ["Streams", "number"], ["Last hit"], ["Place", "long"]], rules.slice(0, most).map((rule) => {
		const age = since(rule, "last_hit"), used = rule.last_hit !== null, last = age < 60 ? "within a minute" : `${duration(age)} ago`;
		return [`${rule.link} ${rule.direction}`, rule.number, [rule.rule, used ? "mono" : "mono soft"], rule.reports, rule.streams,
			used ? last : rule.can_match ? ["never", "soft"] : ["cannot match", "warn"], rule.file ? `${rule.file}:${rule.line}` : ["built in", "soft"]];
	}));
	text($("filters-title"), rules.length > most ? `Filter rules (${most} of ${rules.length})` : "Filter rules");
}

// Detail: one stream, explained

const dialog = $("detail");
let detail = null;

function openDetail(row) {
	active = row.key;
	detail = {key: row.key, chart: spark(560, 84), peak: make("span"), facts: make("dl"),
		members: make("table"), answer: make("div", {"aria-live": "polite"})};
	dialog.replaceChildren(make("div.top", make("h2", {id: "detail-title", tabindex: "-1"}, row.group), make("button", {onclick: () => dialog.close()}, "Close")),
		make("p.soft", pathOf(row)), ...row.history ? [detail.chart, make("p.axis", make("span", "2 minutes ago"), detail.peak, make("span", "now"))] : [],
		make("h3", "Explain"), detail.answer, make("h3", "Facts"), detail.facts, detail.members);
	if (!dialog.open) dialog.showModal();
	$("detail-title").focus();
	drawDetail();
	explain(row);
}

function drawDetail() {
	const row = detail && rows.get(detail.key);
	if (detail && !row) text(detail.peak, "the stream is gone");
	if (!row) return;
	const {route, want, history} = row;
	drawSpark(detail.chart, history);
	text(detail.peak, history ? `${bits(rateOf(row))}, peak ${bits(history.peak())}` : "no stream");
	const facts = [["Instance", row.instance], ["State", STATES[stateOf(row)]], ["Known as", nameOf(row.group)], [row.denial ? "Last tried" : "Since", `${duration(ageOf(row))} ago`]];
	if (route) facts.push(["Source", named(route.source)], ["Arrives on", route.input], ["Leaves by", route.outputs.join(", ")], ["Packets", `${number(route.packets)}, ${scaled(route.bytes, "B")}`]);
	replace(detail.facts, facts, () => facts.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
	const lines = (want?.links || []).flatMap((group) => {
		const members = group.members.length ? group.members : [{...group, sources: group.sources.length}];
		return members.map((member) => [group.link, member.host ? named(member.host) : group.static ? "static" : "not tracked", `${group.version} ${member.mode === "INCLUDE" ? "only" : "all but"} ${plural(member.sources, "source")}`.replace("all but 0 sources", "any source"), duration(member.left - (now() - group.heard))]);
	});
	if (lines.length) drawTable(detail.members, [["Member on"], ["Host"], ["Wants"], ["Expires in", "number"]], lines.slice(0, 200));
}

async function explain(row) {
	const mine = detail, query = new URLSearchParams({group: row.group});
	if (row.source) query.set("source", row.source);
	mine.stop?.abort();
	mine.stop = new AbortController();
	mine.answer.replaceChildren(make("p.soft", "Following the stream …"));
	let parts;
	try {
		const answer = await (await fetch(`api/explain?${query}`, {signal: mine.stop.signal})).json();
		if (answer.error) throw new Error(answer.error);
		parts = answer.streams.map(explained);
	} catch (error) {
		if (error.name === "AbortError") return;
		parts = [make("p.bad", `No explanation: ${error.message}`)];
	}
	mine.answer.replaceChildren(...parts, make("button", {onclick: () => explain(row)}, "Look again"));
}

function explained({result, failed, source, steps}) {
	const good = result === "ok";
	return make("div", make("p", {class: `verdict ${good ? "good" : "bad"}`}, mark(good ? "ok" : "fail"), good ? " Every step is passed" : ` It stops at “${failed}”`, source && `, source ${named(source)}`),
		make("ol.steps", steps.map((step) => make("li", {class: step.result}, mark(step.result),
			make("p", make("span.unseen", `${step.result}: `), step.text || `${step.step}: skipped`), step.remedy && make("p.remedy", "→ ", step.remedy)))));
}

// Drawing: at most once in a frame

const due = new Set();
let version = 0, cost = 0, modelAt = 0, waiting = 0;

function later(what) {
	due.add(what);
	waiting ||= requestAnimationFrame(frame);
}

function frame() {
	const start = performance.now();
	waiting = 0;
	if (due.has("model") && start - modelAt < 5 * cost) { // a large model leaves time for scrolling
		due.delete("model");
		setTimeout(later, 5 * cost, "model");
	}
	if (due.has("model")) {
		version++;
		buildModel();
		buildView();
		drawProblems();
		drawLinks();
		drawFilters();
		cost = performance.now() - start;
		modelAt = start;
		tick();
	} else if (due.has("view")) buildView();
	due.clear();
	draw();
}

function draw() {
	const [first, last] = drawList();
	if (!narrow.matches) drawBands(first, last);
}

function tick() {
	setScale();
	drawTotals();
	drawLegend();
	drawLoads();
	drawDetail();
}

let ticks = 0;
setInterval(() => {
	if (!ready || document.hidden) return;
	tick();
	if (++ticks % 5 === 0) {
		if (store.denials.size) later("model");
		drawFilters();
		if (choice.sort === "rate" && !pane.contains(document.activeElement)) later("view");
	}
	later("draw");
}, 1000);

// Connection

let source = null, heardAt = 0, retry = 0, gone; // gone: why the daemon is away

function setAway(title, why) {
	if (!title) frozen = 0;
	else if (ready) frozen ||= now();
	document.body.classList.toggle("away", Boolean(title));
	text($("live"), title ? "away" : "live");
	$("banner").hidden = !title;
	replace($("banner"), [title, why], () => [make("b", title || ""), why ? ` ${why}.` : "", frozen ? ` The picture is of ${new Date((frozen - clock) * 1000).toLocaleTimeString()}.` : "", " It continues by itself."]);
}

function setDaemon(why) {
	gone = why;
	setAway(gone && "The daemon does not answer.", gone);
}

function connect() {
	source?.close();
	source = new EventSource("events");
	const take = (name, use) => on(source, name, (event) => {
		const data = JSON.parse(event.data);
		heardAt = Date.now();
		if (data.time) clock = data.time - heardAt / 1000;
		use(data);
	});
	take("snapshot", (data) => (setDaemon(), applySnapshot(data)));
	take("change", (data) => (setDaemon(), applyChange(data)));
	take("refusal", applyRefusal);
	take("daemon", (data) => setDaemon(data.why));
	source.onopen = () => (heardAt = Date.now(), retry = 0, setDaemon(gone));
	source.onerror = () => {
		setAway("No connection to mcproxy-web.");
		if (source.readyState === EventSource.CLOSED) setTimeout(connect, min(10000, 1000 * 1.5 ** retry++));
	};
}

// A connection can be dead without an error: ask by another one.
setInterval(async () => {
	if (source.readyState !== EventSource.OPEN || Date.now() - heardAt < 20000) return;
	heardAt = Date.now();
	await fetch("api/status", {signal: AbortSignal.timeout(8000)}).catch(connect);
}, 5000);

// Controls

const dark = matchMedia("(prefers-color-scheme: dark)"), themes = ["auto", "dark", "light"];
let theme = 0;

function setTheme(next) {
	try { // there may be no storage
		if (next >= 0) localStorage.mcproxyTheme = next;
		theme = +localStorage.mcproxyTheme || 0;
	} catch {
		theme = next || theme;
	}
	document.documentElement.dataset.theme = themes[theme || (dark.matches ? 1 : 2)];
	text($("theme"), `Theme: ${themes[theme]}`);
}

on($("theme"), "click", () => setTheme((theme + 1) % 3));
on(dark, "change", () => setTheme());

function drawHead() {
	const columns = [["group", "Group"], ["age", "Age"], ["trend"], ["hosts", "Hosts"], ["rate", "Bit rate"]];
	grid.tHead.rows[0].replaceChildren(...columns.map(([name, title]) => {
		const mine = choice.sort === name;
		return make("th", {class: name, role: "columnheader", scope: "col", "aria-sort": mine && (choice.down ? "descending" : "ascending")},
			title ? make("button", {onclick: () => sortBy(name)}, title, make("span", {"aria-hidden": "true"}, mine && (choice.down ? " ▾" : " ▴"))) : "2 minutes");
	}));
}

function sortBy(name) {
	choice.down = choice.sort === name ? !choice.down : name === "rate" || name === "hosts";
	choice.sort = name;
	drawHead();
	grid.tHead.querySelector(`.${name} button`).focus();
	pane.scrollTop = 0;
	later("view");
}

let typing = 0;
on($("search"), "input", (event) => {
	clearTimeout(typing);
	typing = setTimeout(choose, 80, "search", event.target.value);
});
on($("search"), "keydown", (event) => {
	if (event.key !== "ArrowDown" && event.key !== "Enter") return;
	event.preventDefault();
	focusRow(0);
});
on($("show"), "change", (event) => choose("show", event.target.value));
on($("all-problems"), "click", () => {
	allProblems = !allProblems;
	drawProblems();
});
on(window, "keydown", (event) => {
	if (event.key !== "/" || dialog.open || /INPUT|SELECT/.test(event.target.tagName)) return;
	event.preventDefault();
	$("search").focus();
});

const rowOf = (event) => event.target.closest("tbody tr")?.line.row;
on(pane, "scroll", () => later("draw"), {passive: true});
on(pane, "keydown", listKey);
on(pane, "click", (event) => rowOf(event) && openDetail(rowOf(event)));
on(pane, "mouseover", (event) => setHot(rowOf(event)));
on(pane, "focusin", (event) => {
	active = rowOf(event)?.key || active;
	if (event.target.matches(":focus-visible")) setHot(rowOf(event));
});
on(pane, "mouseleave focusout", () => setHot());
on(dialog, "click", (event) => event.target === dialog && dialog.close());
on(dialog, "close", () => {
	const index = view.findIndex((row) => row.key === detail.key);
	detail.stop.abort();
	detail = null;
	if (index >= 0) focusRow(index);
});
on(window, "resize", () => later("view"));
on(window, "visibilitychange", () => later("model"));

setTheme();
drawHead();
buildView();
connect();
