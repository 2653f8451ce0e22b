#!/usr/bin/env python3
"""Talks to `git tracevault mcp` with the client library of the Model Context Protocol's own SDK, and prints what it was told.

Usage: client.py MODE FOLDER PROGRAM [ARGUMENT…]. MODE is how the library begins: `auto`, `legacy` or a revision's date. Standard
input has a JSON list of calls, each [TOOL, ARGUMENTS]; the answer is one JSON object on standard output. The library checks
each answer against the schema that the tool was offered with.
"""
import asyncio, json, sys

from mcp import Client, MCPError, StdioServerParameters, stdio_client


async def told(client, calls):
    tools = (await client.list_tools()).tools
    answers = []
    for name, arguments in calls:
        try:
            result = await client.call_tool(name, arguments)
            texts = [block.text for block in result.content]
            answers.append({"error": result.is_error, "data": result.structured_content, "text": texts})
        except MCPError as error:
            answers.append({"refused": str(error)})
    resources, cursor = [], None
    while True:
        page = await client.list_resources(cursor=cursor)
        resources += [resource.uri for resource in page.resources]
        cursor = page.next_cursor
        if not cursor:
            break
    read = {}
    for uri in resources[:20]:
        contents = (await client.read_resource(uri)).contents
        read[str(uri)] = json.loads(contents[0].text)
    templates = (await client.list_resource_templates()).resource_templates
    return {
        "protocol": str(client.protocol_version),
        "server": client.server_info.name if client.server_info else None,
        "tools": [{"name": tool.name, "read_only": tool.annotations.read_only_hint} for tool in tools],
        "answers": answers,
        "templates": [template.uri_template for template in templates],
        "resources": read,
    }


async def main():
    mode, folder, program, *arguments = sys.argv[1:]
    server = StdioServerParameters(command=program, args=arguments, cwd=folder, env=None)
    async with Client(stdio_client(server), mode=mode) as client:
        print(json.dumps(await told(client, json.load(sys.stdin))))


asyncio.run(main())
