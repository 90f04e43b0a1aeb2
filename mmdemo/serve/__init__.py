"""What is not the page: HTTP API, MCP, the gate, uploads, visitors' catalogues, and every change made to Gradio.

It knows nothing of what is on the page.
For the rooms above: api, rest, mcp, gate, uploads, drafts.
"""
