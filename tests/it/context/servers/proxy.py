"""Writes down every request and carries out the rules of `proxy.rs`; run inside mitmdump."""

import asyncio
import json
import os
import re

from mitmproxy import http

with open(os.environ["PROXY_RULES"], encoding="utf-8") as file:
    RULES = json.load(file)


def rule_for(text):
    """The rule that holds for this request; counts it for every rule up to that one."""
    for rule in RULES:
        if not re.search(rule["on"], text, re.DOTALL):
            continue
        if rule["after"] > 0:
            rule["after"] -= 1
        elif rule["times"] > 0:
            rule["times"] -= 1
            return rule
    return None


async def request(flow):
    body = flow.request.get_text(strict=False) or ""
    line = f"{flow.request.method} {flow.request.path}"
    action = re.search(r"(?:^|&)Action=(\w+)", body)
    with open(os.environ["PROXY_LOG"], "a", encoding="utf-8") as log:
        log.write(line + (f" {action[1]}" if action else "") + "\n")
    rule = rule_for(f"{line} {body}")
    if rule is None:
        return
    if rule["do"] == "answer":
        headers = [(name.encode(), value.encode()) for name, value in rule["headers"]]
        flow.response = http.Response.make(rule["status"], rule["body"], headers)
    elif rule["do"] == "refuse":
        flow.kill()
    elif rule["do"] == "delay":
        await asyncio.sleep(rule["seconds"])
    else:
        flow.metadata["rule"] = rule


def response(flow):
    # Also called for answers made above, which carry no rule.
    rule = flow.metadata.get("rule")
    if rule is None:
        return
    if rule["do"] == "lose":
        flow.kill()
    elif rule["do"] == "shorten":
        flow.response.content = flow.response.content[: rule["bytes"]]
