"""GitHub's command, played: it does what the workflows ask of it, to what is in the file GITHUB_PLAYED, and refuses all else."""

import json
import os
import re
import subprocess
import sys

REPOSITORY = "repos/acme/pbx"
BOT = {"login": "github-actions[bot]"}


def refuse(why):
    sys.exit(f"gh: {why}: {sys.argv[1:]}")


def arguments():
    method, fields, query, endpoint = "GET", {}, None, None
    words = iter(sys.argv[1:])
    if next(words, None) != "api":
        refuse("not known here")
    for word in words:
        if word in ("--silent", "--paginate"):
            continue
        elif word == "--method":
            method = next(words)
        elif word == "--jq":
            query = next(words)
        elif word in ("--field", "--raw-field"):
            name, value = next(words).split("=", 1)
            if word == "--field" and value.startswith("@"):
                value = open(value[1:], encoding="utf-8").read()
            fields[name] = value
        elif endpoint is None and not word.startswith("-"):
            endpoint = word
        else:
            refuse("not known here")
    if len(fields.get("body", "")) > 65536:
        refuse("HTTP 422: body is too long (maximum is 65536 characters)")
    return method, endpoint, fields, query


def need(github, permission):
    """Write access includes read access; the token has what the job's `permissions` say."""
    if github["permissions"].get(permission) != "write":
        refuse(f"HTTP 403: Resource not accessible by integration ({permission})")


def one(items, **which):
    for item in items:
        if all(item[name] == value for name, value in which.items()):
            return item
    refuse("HTTP 404: Not Found")


def main():
    path = os.environ["GITHUB_PLAYED"]
    github = json.load(open(path, encoding="utf-8"))
    if os.environ.get("GH_TOKEN") != "token":
        refuse("no token")
    method, endpoint, fields, query = arguments()
    answer = None

    def asks(wanted, pattern, *names):
        found = re.fullmatch(REPOSITORY + pattern, endpoint)
        if method == wanted and found and set(fields) == set(names):
            return [int(part) for part in found.groups()] or [None]

    comments, issues = github["comments"], github["issues"]
    if found := asks("GET", r"/issues/(\d+)/comments\?per_page=100"):
        need(github, "pull-requests")
        answer = [comment for comment in comments if comment["on"] == found[0]]
    elif found := asks("POST", r"/issues/(\d+)/comments", "body"):
        need(github, "pull-requests")
        comments.append({"id": 100 + len(comments), "on": found[0], "user": BOT, **fields})
    elif found := asks("PATCH", r"/issues/comments/(\d+)", "body"):
        need(github, "pull-requests")
        one(comments, id=found[0]).update(fields)
    elif asks("GET", r"/issues\?state=open&per_page=100"):
        need(github, "issues")
        answer = [issue for issue in issues if issue["state"] == "open"]
    elif asks("POST", r"/issues", "title", "body"):
        need(github, "issues")
        issues.append({"number": 1 + len(issues), "state": "open", "user": BOT, **fields})
    elif found := asks("PATCH", r"/issues/(\d+)", "body") or asks("PATCH", r"/issues/(\d+)", "state"):
        need(github, "issues")
        one(issues, number=found[0]).update(fields)
    else:
        refuse("not known here")

    if method == "GET":
        text = json.dumps(answer)
        print(subprocess.run(["jq", "--raw-output", query], input=text, text=True, check=True, stdout=subprocess.PIPE).stdout, end="")
    github["calls"].append(f"{method} {endpoint}")
    json.dump(github, open(path, "w", encoding="utf-8"))


main()
