"""The peer: a WebSocket server as people write it, FastAPI on uvicorn, with everything in memory."""

from collections import defaultdict

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
app.state.rooms = defaultdict(set)


@app.websocket("/listen/{room}")
async def listen(socket: WebSocket, room: str) -> None:
    await socket.accept()
    app.state.rooms[room].add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        app.state.rooms[room].discard(socket)


@app.websocket("/publish/{room}")
async def publish(socket: WebSocket, room: str) -> None:
    await socket.accept()
    try:
        while True:
            message = await socket.receive_text()
            for listener in list(app.state.rooms[room]):
                await listener.send_text(message)
    except WebSocketDisconnect:
        return
