-- Asks for a token as fast as it goes and looks at every reply: one that is not a cached vend is counted as wrong.
local threads = {}

function setup(thread)
  thread:set("wrong", 0)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = "POST"
  wrk.headers["Authorization"] = args[1]
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = args[2]
  wanted = args[3]
end

function response(status, headers, body)
  if status ~= 200 or not string.find(body, wanted, 1, true) then wrong = wrong + 1 end
end

function done(summary, latency, requests)
  local all = 0
  for _, thread in ipairs(threads) do all = all + thread:get("wrong") end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('RESULT {"requests":%d,"wrong":%d,"broken":%d}\n', summary.requests, all, broken))
end
