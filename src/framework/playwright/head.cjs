'use strict';

// The worker that shakedown starts beside a Playwright Test suite. Playwright runs a process for each set of tests and
// can't be told to wait for more, so this one stays up, lists the suite once, and starts `playwright test` for each unit,
// with a reporter of its own that tells of each test as it begins and ends.
//
//   node playwright_worker.cjs FILTER...      in the folder of the configuration: serve the protocol below
//   node playwright_worker.cjs --tell TOKEN   print how many lines the worker with that token has said and heard
//   node playwright_worker.cjs --kill TOKEN   kill every process started with SHAKEDOWN_WORKER=TOKEN, with its children
//
// Playwright itself loads this file, too, as the reporter.
//
// Protocol version 2, one JSON object on each line. Before each object that the worker says stand a checksum (CRC-32 of
// what follows, in eight hexadecimal digits) and a number (from 1): "3d1a9c0e 1 {...}".
//
//   standard input (at an end of file without a quit, the worker ends with exit code 75)
//     {"type":"list"}
//     {"type":"run","unit":ID,"lane":LANE,"tests":[{"selector":SELECTOR,"attempt":NUMBER},...]}
//     {"type":"quit"}
//
//   standard output
//     hello       protocol, framework, version, pid: at once
//     loaded      duration_ms
//     load_error  message, file, line: the suite can't be loaded; the worker ends with exit code 1
//     test        selector, file, line, name, tags, group, project: one for each test of each project; group is its outermost
//                 serial suite
//     listed      count: the end of a listing
//     before      name: something runs that was not asked for, and on which tests of the unit depend
//     started     selector
//     ended       selector, outcome (passed, failed or skipped), duration_ms, failure or null, reason or null, attachments
//                 failure: class, message, file, line, backtrace
//                 attachments: each with its kind (screenshot, trace, video, or the name the suite gave) and its path
//     unit_ended  unit, asked, ran, unknown (the selectors that the suite does not have), not_run (those that were not
//                 started as a test of this unit, before them in their serial suite, has failed), blocked (each selector
//                 that was not started as a project has failed on which its own depends, with the cause)
//     error       message, file, line: something failed outside of the tests
//
// The order is Playwright's. Its retries are off, and it runs one test at a time. What it can't leave out it does for
// each unit: web servers of the configuration, global set-up, and the projects on which those of the unit depend. Tests of
// projects that others depend on are listed, too, and run by themselves when they are asked for; those of projects that
// tidy up (teardown) only run behind others, and are not listed.
//
// Each `playwright test` but the first is started ahead of need: it reads its configuration, and then waits for its list
// of tests, which is a named pipe. That is only done where the configuration starts nothing by itself. Web servers that
// Playwright may find running (reuseExistingServer) are started once, and stay up.
//
// Environment: SHAKEDOWN_LANE and SHAKEDOWN_ATTEMPT are set for each unit.
//
// Needs Node 18 or newer and Playwright Test 1.42 or newer, and nothing else.
//
// The files of this folder are joined to one, in the order that src/framework/playwright.rs has.

const childProcess = require('child_process');
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');
const path = require('path');

const PROTOCOL = 2;
const CUT_OFF = 75;
/// Evidence is looked for here, as that of the other workers.
const FOLDER = '/tmp/shakedown_evidence';
/// Tells the reporter where its orders are.
const ORDERS = 'SHAKEDOWN_PLAYWRIGHT_ORDERS';
/// Where the reporter writes to, in Playwright's process.
const REPORT = 3;

// Text as the protocol takes it: well-formed, without colours, of bounded length.
const Text = {
  LIMIT_BYTES: 64 * 1024,

  plain(text) {
    // eslint-disable-next-line no-control-regex
    return Buffer.from(String(text).replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')).toString();
  },

  bounded(text) {
    const bytes = Buffer.from(Text.plain(text));
    if (bytes.length <= Text.LIMIT_BYTES) return bytes.toString();
    const kept = bytes.subarray(0, Text.LIMIT_BYTES).toString().replace(/\ufffd$/, '');
    return `${kept}\n[cut here: ${bytes.length - Text.LIMIT_BYTES} more bytes]`;
  },
};
