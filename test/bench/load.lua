-- Sends one request as often as possible and checks every reply: its status, a text in it, its length.
-- Arguments: method, body, status, text, length or nothing, then names and values of headers: of a name's
-- values, each request has the next one.
local REQUESTS_FOR_ADDRESS = 50
local threads = {}

function setup(thread)
  thread:set("wrong", 0)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = args[1]
  wrk.body = args[2] ~= "" and args[2] or nil
  expected_status = tonumber(args[3])
  expected_text = args[4]
  expected_length = tonumber(args[5])
  local values = {}
  for i = 6, #args, 2 do
    local name, value = args[i], args[i + 1]
    values[name] = values[name] or {}
    table.insert(values[name], value)
    wrk.headers[name] = value
    if #values[name] > 1 or string.find(value, "{address}", 1, true) then vary_headers(values) end
  end
end

-- Defines the request of each turn, which wrk otherwise makes once.
function vary_headers(values)
  -- addresses of 10.0.0.0/8: runs that begin a second apart have others, up to 1,000 in a second
  local first = os.time() * 1000
  local count = 0
  function request()
    local n = first + math.floor(count / REQUESTS_FOR_ADDRESS)
    local address = string.format("10.%d.%d.%d", math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
    for name, list in pairs(values) do
      wrk.headers[name] = string.gsub(list[count % #list + 1], "{address}", address)
    end
    count = count + 1
    return wrk.format()
  end
end

function response(status, headers, body)
  if status ~= expected_status
    or not string.find(body, expected_text, 1, true)
    or (expected_length and #body ~= expected_length) then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local all = 0
  for _, thread in ipairs(threads) do all = all + thread:get("wrong") end
  local errors = summary.errors
  -- what wrk counts as an error of the status is judged above
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    'RESULT {"requests":%d,"wrong":%d,"broken":%d,"p50Ms":%.3f,"p99Ms":%.3f}\n',
    summary.requests, all, broken, latency:percentile(50) / 1000, latency:percentile(99) / 1000
  ))
end
